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


class JsonFindings:
    """Findings as they will stand in the document: processes that share the work write their own, before there is one.

    `page_of` gives the page about a rule.
    """

    def __init__(self, page_of: Callable[[str], str]) -> None:
        self._page_of = page_of
        self._places = _Places()
        self._kept: dict[str, tuple[tuple[Finding, ...], str]] = {}

    def text(self, findings: Sequence[Finding]) -> str:
        """Findings as items of a list of the document; empty if there are none."""
        if not findings:
            return ""
        alone = texts.json_text([self.shown(finding) for finding in findings])
        return alone.removeprefix("[").removesuffix("\n]\n").replace("\n", "\n ")

    def keep(self, file: str, findings: tuple[Finding, ...], text: str) -> None:
        """Remember the text of these very findings, which are all of the file's, in order."""
        self._kept[file] = findings, text

    def items(self, findings: Iterable[Finding]) -> Iterator[str]:
        """The list of these findings, in pieces; they are in order."""
        before = "["
        for file, group in groupby(findings, _FILE):
            here = tuple(group)
            known, text = self._kept.get(file, ((), ""))
            yield before
            yield text if len(known) == len(here) and all(map(is_, known, here)) else self.text(here)
            before = ","
        yield "\n ]" if before == "," else "[]"

    def shown(self, finding: Finding) -> ShownFinding:
        """What is shown of the finding."""
        about, places = finding.subject, self._places
        return ShownFinding(
            finding.rule,
            self._page_of(finding.rule),
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


_FILE = attrgetter("file")


def document(report: CheckReport, written: JsonFindings | None = None) -> Iterator[str]:
    """The report as indented JSON, in pieces; `written` is what of its findings is JSON already."""
    if written is None:
        pages = {rule.name: rule.page for rule in report.rules}
        written = JsonFindings(lambda rule: pages.get(rule, ""))
    around = texts.json_text(
        Shown(
            VERSION,
            report.exit_code,
            report.summary,
            (),
            tuple(_waived(waived, written) for waived in report.waived),
            (),
            tuple(_rule(rule) for rule in report.rules),
        )
    )
    for name, findings in (("findings", report.findings), ("baselined", report.baselined)):
        # Only a field of the document itself is on a line that is indented by one, and no string has a line's end.
        before, field, around = around.partition(f'\n "{name}": []')
        yield before
        yield field.removesuffix("[]")
        yield from written.items(findings)
    yield around


class _Places(dict[Path, tuple[str, str]]):
    """Each path as it is printed and its pointer, made once: thousands of findings are about a few dozen fields."""

    def __missing__(self, place: Path) -> tuple[str, str]:
        made = self[place] = (str(place), place.pointer)
        return made


def _waived(waived: WaivedFinding, written: JsonFindings) -> ShownWaived:
    waiver = waived.waiver
    expires = waiver.expires.isoformat()
    return ShownWaived(
        written.shown(waived.finding),
        ShownWaiver(waiver.rule, waiver.reason, expires, waiver.file, waiver.line, waiver.in_manifest),
    )


def _rule(rule: Rule) -> ShownRule:
    return ShownRule(rule.name, rule.description, rule.page)
