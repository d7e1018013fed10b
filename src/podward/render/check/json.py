"""`check -o json`. Its schema is docs/schema/check.schema.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, is_

from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import CheckReport, Rule, Summary, WaivedFinding
from podward.decision import Value
from podward.path import Path
from podward.render.check import texts

VERSION = 1
"""The version of the document's form. It is raised when a field is removed or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base of the document's objects: every field is always there."""


class JsonSubject(_Part, frozen=True, gc=False):
    """The workload of a finding, and its container if the finding is about one; empty if there is none."""

    kind: str
    namespace: str
    name: str
    container: str


class JsonChange(_Part, frozen=True, gc=False):
    """A field to set; if the value is null, a field to remove."""

    path: str
    pointer: str
    value: Value


class JsonFinding(_Part, frozen=True, gc=False):
    """One finding."""

    rule: str
    page: str
    severity: str
    file: str
    line: int
    document: int
    path: str
    pointer: str
    subject: JsonSubject
    message: str
    policy: str
    remedy: str
    changes: tuple[JsonChange, ...]
    fingerprint: str


class JsonWaiver(_Part, frozen=True, gc=False):
    """Why a finding does not count, until when, and where the waiver is written."""

    rule: str
    reason: str
    expires: str
    file: str
    line: int
    in_manifest: bool


class JsonWaived(_Part, frozen=True, gc=False):
    """A waived finding."""

    finding: JsonFinding
    waiver: JsonWaiver


class JsonRule(_Part, frozen=True, gc=False):
    """A rule that a finding names."""

    name: str
    description: str
    page: str


class CheckDocument(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    exit_code: int
    summary: Summary
    findings: tuple[JsonFinding, ...]
    waived: tuple[JsonWaived, ...]
    baselined: tuple[JsonFinding, ...]
    rules: tuple[JsonRule, ...]


class JsonFindings:
    """Encodes findings as items of the document. Processes that share the work encode their own, before the report.

    `page_of` returns the page about a rule.
    """

    def __init__(self, page_of: Callable[[str], str]) -> None:
        self._page_of = page_of
        self._paths = _PathTexts()
        self._kept: dict[str, tuple[tuple[Finding, ...], str]] = {}

    def text(self, findings: Sequence[Finding]) -> str:
        """The findings as items of a list in the document; empty if there are none."""
        if not findings:
            return ""
        alone = texts.json_text([self.shown(finding) for finding in findings])
        return alone.removeprefix("[").removesuffix("\n]\n").replace("\n", "\n ")

    def keep(self, file: str, findings: tuple[Finding, ...], text: str) -> None:
        """Remember the encoded text of these findings, which are all findings of the file, in order."""
        self._kept[file] = findings, text

    def items(self, findings: Iterable[Finding]) -> Iterator[str]:
        """The list of these findings, which are in order, as pieces of text."""
        before = "["
        for file, group in groupby(findings, _FILE):
            here = tuple(group)
            known, text = self._kept.get(file, ((), ""))
            yield before
            yield text if len(known) == len(here) and all(map(is_, known, here)) else self.text(here)
            before = ","
        yield "\n ]" if before == "," else "[]"

    def shown(self, finding: Finding) -> JsonFinding:
        """The finding as an object of the document."""
        about, paths = finding.subject, self._paths
        return JsonFinding(
            finding.rule,
            self._page_of(finding.rule),
            finding.severity.value,
            finding.file,
            finding.line,
            finding.document,
            *paths[finding.path],
            JsonSubject(about.kind, about.namespace, about.name, about.container),
            finding.message,
            finding.policy,
            finding.remedy,
            tuple([JsonChange(*paths[change.path], change.value) for change in finding.changes]),
            finding.fingerprint,
        )


_FILE = attrgetter("file")


def document(report: CheckReport, encoded: JsonFindings | None = None) -> Iterator[str]:
    """The report as indented JSON, in pieces; `encoded` has findings that are encoded already."""
    if encoded is None:
        pages = {rule.name: rule.page for rule in report.rules}
        encoded = JsonFindings(lambda rule: pages.get(rule, ""))
    around = texts.json_text(
        CheckDocument(
            VERSION,
            report.exit_code,
            report.summary,
            (),
            tuple(_waived(waived, encoded) for waived in report.waived),
            (),
            tuple(_rule(rule) for rule in report.rules),
        )
    )
    for name, findings in (("findings", report.findings), ("baselined", report.baselined)):
        # Only fields of the document itself are indented by one blank, and no string contains a line break.
        before, field, around = around.partition(f'\n "{name}": []')
        yield before
        yield field.removesuffix("[]")
        yield from encoded.items(findings)
    yield around


class _PathTexts(dict[Path, tuple[str, str]]):
    """Each path as text and as JSON Pointer, made once: thousands of findings are about a few dozen fields."""

    def __missing__(self, place: Path) -> tuple[str, str]:
        text = self[place] = (str(place), place.pointer)
        return text


def _waived(waived: WaivedFinding, encoded: JsonFindings) -> JsonWaived:
    waiver = waived.waiver
    expires = waiver.expires.isoformat()
    return JsonWaived(
        encoded.shown(waived.finding),
        JsonWaiver(waiver.rule, waiver.reason, expires, waiver.file, waiver.line, waiver.in_manifest),
    )


def _rule(rule: Rule) -> JsonRule:
    return JsonRule(rule.name, rule.description, rule.page)
