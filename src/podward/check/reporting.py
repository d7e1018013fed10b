"""From all findings to the report: which ones count, which are waived, and which are in the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import CheckedWorkload, CheckReport, in_order, sort_key
from podward.check import baseline, rules, waivers
from podward.check.baseline import Baseline, BaselineResult
from podward.check.rule_selection import RuleSelection
from podward.check.waivers import ScopedWaiver, WaiverTerms


class ReportSettings(Struct, frozen=True):
    """What decides whether a finding counts: the selected rules, the waivers and which count, and the baseline.

    `baseline` is None without one. `rooted` gives the name of a finding's file for waivers and the baseline.
    """

    selection: RuleSelection
    waivers: tuple[ScopedWaiver, ...]
    terms: WaiverTerms
    baseline: Baseline | None = None
    rooted: Callable[[str], str] = str


def build_report(
    findings: Iterable[Finding], settings: ReportSettings, files: Sequence[str], checked: Iterable[CheckedWorkload]
) -> CheckReport:
    """The report about these files and workloads: rules are selected first, then waivers apply, then the baseline."""
    selection = settings.selection
    names = {file: settings.rooted(file) for file in files} if settings.waivers else {}
    applied = waivers.apply(selection.of(findings), settings.waivers, settings.terms, selection, names)
    if settings.baseline is None:
        compared = BaselineResult(in_order(applied.findings), (), 0)
    else:
        compared = baseline.compare(applied.findings, settings.baseline, files, settings.rooted)
    waived = tuple(sorted(applied.waived, key=lambda each: sort_key(each.finding)))
    named = [each.rule for each in (*compared.new, *compared.known)] + [each.finding.rule for each in waived]
    return CheckReport(
        compared.new, waived, compared.known, compared.vanished, tuple(files), tuple(checked), rules.named(named)
    )
