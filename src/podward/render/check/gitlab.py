"""`check -o gitlab`: a Code Quality report, which GitLab shows in merge requests.

Specification: GitLab's documentation, "Code Quality report format": a list of objects with `description`, `check_name`,
`fingerprint`, `severity` (info, minor, major, critical, blocker), `location.path` (relative to the repository, without
`./`) and `location.lines.begin`. Of two with the same fingerprint only one is shown; one that the target branch does
not have is new. A waived finding is of severity `info` and says so. Findings of the baseline are left out.
"""

from __future__ import annotations

import posixpath

from msgspec import Struct, structs

from podward.api.finding import Finding, Severity
from podward.api.report import CheckReport, WaivedFinding
from podward.render.check import texts
from podward.render.escaping import printable

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


class Lines(Struct, frozen=True):
    """The line of a finding, 1-based."""

    begin: int


class Location(Struct, frozen=True):
    """A line of a file."""

    path: str
    lines: Lines


class Issue(Struct, frozen=True):
    """A finding."""

    description: str
    check_name: str
    fingerprint: str
    severity: str
    location: Location


def document(report: CheckReport) -> str:
    """The report as a Code Quality report."""
    fingerprints = texts.Fingerprints()
    waived = [_waived(each, fingerprints) for each in report.waived]
    return texts.json_text([*(_issue(finding, fingerprints) for finding in report.findings), *waived])


def _waived(one: WaivedFinding, fingerprints: texts.Fingerprints) -> Issue:
    issue = _issue(one.finding, fingerprints)
    said = f"{texts.waived_by(one.waiver)}. {texts.sentence(one.finding)}"
    return structs.replace(issue, description=said, severity=_SEVERITIES[Severity.NOTE])


def _issue(finding: Finding, fingerprints: texts.Fingerprints) -> Issue:
    said = texts.sentence(finding)
    return Issue(
        f"{said}. {printable(texts.short(finding.remedy))}" if finding.remedy else said,
        finding.rule,
        fingerprints.of(finding),
        _SEVERITIES[finding.severity],
        Location(posixpath.normpath(finding.file), Lines(max(finding.line, 1))),
    )
