"""From all that was found to the report: what counts, what is waived, what was known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import Checked, CheckReport, in_order, place_of
from podward.check import baseline, rules, waivers
from podward.check.baseline import Baseline, Compared
from podward.check.rule_selection import Choice
from podward.check.waivers import Granted


class Terms(Struct, frozen=True):
    """By what is judged: the choice of rules, the waivers, the day, and what was known (None: no baseline).

    `rooted` gives the name by which patterns of waivers, and the baseline, know a file of findings.
    """

    choice: Choice
    granted: tuple[Granted, ...]
    today: date
    baseline: Baseline | None = None
    rooted: Callable[[str], str] = str


def report(findings: Iterable[Finding], terms: Terms, files: Sequence[str], checked: Iterable[Checked]) -> CheckReport:
    """The report about these files and workloads: rules are chosen first, then waivers apply, then the baseline."""
    names = {file: terms.rooted(file) for file in files} if terms.granted else {}
    applied = waivers.apply(terms.choice.of(findings), terms.granted, terms.today, terms.choice, names)
    if terms.baseline is None:
        compared = Compared(in_order(applied.findings), (), 0)
    else:
        compared = baseline.compare(applied.findings, terms.baseline, files, terms.rooted)
    waived = tuple(sorted(applied.waived, key=lambda each: place_of(each.finding)))
    named = [each.rule for each in (*compared.new, *compared.known)] + [each.finding.rule for each in waived]
    return CheckReport(
        compared.new, waived, compared.known, compared.vanished, tuple(files), tuple(checked), rules.named(named)
    )
