"""`check -o json`. Its schema is docs/schema/check.schema.json."""

from __future__ import annotations

from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import Report, Rule, Summary, Waived
from podward.decision import Value
from podward.path import Path
from podward.render.check import texts

VERSION = 1
"""Of the form of this document: raised when a field is taken away or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base: every field is always there."""


class ShownSubject(_Part, frozen=True, gc=False):
    """The workload, and its container where the finding is about one; empty strings where there is none."""

    kind: str
    namespace: str
    name: str
    container: str


class ShownChange(_Part, frozen=True, gc=False):
    """A field to set, or to remove where the value is null."""

    path: str
    pointer: str
    value: Value


class ShownFinding(_Part, frozen=True, gc=False):
    """One finding."""

    rule: str
    page: str
    severity: str
    file: str
    line: int
    document: int
    path: str
    pointer: str
    subject: ShownSubject
    message: str
    policy: str
    remedy: str
    changes: tuple[ShownChange, ...]
    fingerprint: str


class ShownWaiver(_Part, frozen=True, gc=False):
    """Why a finding does not count, until when, and where that is written."""

    rule: str
    reason: str
    expires: str
    file: str
    line: int
    in_manifest: bool


class ShownWaived(_Part, frozen=True, gc=False):
    """A waived finding."""

    finding: ShownFinding
    waiver: ShownWaiver


class ShownRule(_Part, frozen=True, gc=False):
    """A rule that a finding names."""

    name: str
    description: str
    page: str


class Shown(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    exit_code: int
    summary: Summary
    findings: tuple[ShownFinding, ...]
    waived: tuple[ShownWaived, ...]
    baselined: tuple[ShownFinding, ...]
    rules: tuple[ShownRule, ...]


def document(report: Report) -> str:
    """The report as JSON, indented."""
    pages = {rule.name: rule.page for rule in report.rules}
    places = _Places()
    return texts.json_text(
        Shown(
            VERSION,
            report.exit_code,
            report.summary,
            tuple(_finding(finding, pages, places) for finding in report.findings),
            tuple(_waived(waived, pages, places) for waived in report.waived),
            tuple(_finding(finding, pages, places) for finding in report.baselined),
            tuple(_rule(rule) for rule in report.rules),
        )
    )


class _Places(dict[Path, tuple[str, str]]):
    """Each path as it is printed and its pointer, made once: thousands of findings are about a few dozen fields."""

    def __missing__(self, place: Path) -> tuple[str, str]:
        made = self[place] = (str(place), place.pointer)
        return made


def _finding(finding: Finding, pages: dict[str, str], places: _Places) -> ShownFinding:
    about = finding.subject
    return ShownFinding(
        finding.rule,
        pages.get(finding.rule, ""),
        finding.severity.value,
        finding.file,
        finding.line,
        finding.document,
        *places[finding.path],
        ShownSubject(about.kind, about.namespace, about.name, about.container),
        finding.message,
        finding.policy,
        finding.remedy,
        tuple([ShownChange(*places[change.path], change.value) for change in finding.changes]),
        finding.fingerprint,
    )


def _waived(waived: Waived, pages: dict[str, str], places: _Places) -> ShownWaived:
    waiver = waived.waiver
    expires = waiver.expires.isoformat()
    return ShownWaived(
        _finding(waived.finding, pages, places),
        ShownWaiver(waiver.rule, waiver.reason, expires, waiver.file, waiver.line, waiver.in_manifest),
    )


def _rule(rule: Rule) -> ShownRule:
    return ShownRule(rule.name, rule.description, rule.page)
