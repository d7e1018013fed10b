"""From what came of files to the report, by the settings of this check."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from podward.api.finding import Finding
from podward.api.report import Checked, CheckReport
from podward.check.baseline import Baseline
from podward.check.verdict import Terms, report
from podward.check.waivers import Granted
from podward.cli import inputs
from podward.cli.checking.settings import Settings


def report_of(
    findings: Iterable[Finding],
    granted: Iterable[Granted],
    names: Sequence[str],
    checked: Iterable[Checked],
    chosen: Settings,
) -> CheckReport:
    """The report about what was found in these files, `granted` the waivers in them."""
    today = date.today()  # noqa: DTZ011  # a waiver ends with the day where CI runs
    known = _known(chosen.baseline) if chosen.baseline else None
    terms = Terms(chosen.choice, (*chosen.granted, *granted), today, known, chosen.naming.rooted)
    return report(findings, terms, names, checked)


def _known(name: str) -> Baseline:
    from podward.check import baseline as baselines

    return baselines.read(inputs.content_of(name), name)
