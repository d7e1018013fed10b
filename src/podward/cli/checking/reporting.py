"""From files to the report: read and judge them, then apply this check's rules, waivers and baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import structs

from podward.api.finding import Finding, Severity
from podward.api.report import CheckedWorkload, CheckReport
from podward.check.baseline import Baseline
from podward.check.reporting import ReportSettings, build_report
from podward.check.waivers import ScopedWaiver, WaiverTerms
from podward.cli import inputs, terminal
from podward.cli.checking import examination
from podward.cli.checking.cache import NO_CACHE
from podward.cli.checking.files import STDIN
from podward.cli.checking.settings import Settings, repositories_of
from podward.cli.checking.unread import OTHER_DOCUMENT, TEMPLATE, one_a_chart, unfollowed
from podward.errors import InputError

if TYPE_CHECKING:
    from podward.render.check.json import JsonFindings


def check(
    names: tuple[str, ...],
    settings: Settings,
    searched: frozenset[str] = frozenset(),
    json_findings: JsonFindings | None = None,
) -> CheckReport:
    """Read and judge these files, and report.

    Nobody named the files in `searched`; they were found in a directory, so one that is no manifest is only noted.
    `json_findings` is given if the findings are wanted as JSON.
    """
    cache = NO_CACHE
    if settings.cached:
        cache = examination.cache_of(settings.options, names, repositories_of(names, settings.naming.here))
    found = examination.examine(names, settings.options, cache, json_findings=json_findings)
    findings = [
        _as_note(each) if each.rule == OTHER_DOCUMENT and each.file in searched else each for each in found.findings
    ]
    if any(each.rule == TEMPLATE for each in findings):
        findings = one_a_chart(findings)
    findings += [unfollowed(link.name, read=link.read) for link in settings.links]
    return report_of(findings, found.waivers, found.names, found.workloads, settings)


def nothing_checked(paths: Sequence[str], code: int) -> int:
    """The exit code where no workload was checked, told on standard error: `code` if that is a failure already."""
    what = "nothing was checked: there is no workload"
    advice = "name the directory of the manifests; if there may be none, add --allow-empty"
    error = InputError(
        what, where=", ".join(map(_shown, paths[:_FEW])) + (", …" if len(paths) > _FEW else ""), advice=advice
    )
    terminal.complain(error)
    return code or error.exit_code


_FEW = 3


def _shown(path: str) -> str:
    return inputs.STDIN if path == STDIN else path


def report_of(
    findings: Iterable[Finding],
    waivers: Iterable[ScopedWaiver],
    names: Sequence[str],
    workloads: Iterable[CheckedWorkload],
    settings: Settings,
) -> CheckReport:
    """The report about what was found in these files; `waivers` are those that are written in them."""
    today = date.today()  # noqa: DTZ011  # a waiver ends with the day where CI runs
    baseline = _baseline(settings.baseline) if settings.baseline else None
    terms = WaiverTerms(today, settings.inline_waivers, settings.max_waiver_days)
    report_settings = ReportSettings(
        settings.selection, (*settings.waivers, *waivers), terms, baseline, settings.naming.rooted
    )
    return build_report(findings, report_settings, names, workloads)


def _as_note(finding: Finding) -> Finding:
    return structs.replace(finding, severity=Severity.NOTE)


def _baseline(name: str) -> Baseline:
    from podward.check import baseline as baselines

    return baselines.read(inputs.content_of(name), name)
