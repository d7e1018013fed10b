"""`check -o sarif`: what code scanning services read.

Specification: OASIS SARIF 2.1.0 with errata 01. Kept to what GitHub's code scanning understands of it: rules with help,
levels, places by line, partial fingerprints. A relative file is relative to `%SRCROOT%`. A waived finding is a result
with an accepted suppression; a finding of the baseline has the baselineState `unchanged`, and where there is one every
other result is `new`. A finding's changes are in its property bag: a SARIF fix replaces characters of the text, and
Podward's changes fields, so that comments survive (`--fix`).
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from podward import __version__
from podward.api.finding import Finding, Severity, Subject
from podward.api.report import UNREAD, Report, Rule, Waiver, family_of
from podward.decision import Value
from podward.render.check import texts
from podward.render.explain.inert import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
FINGERPRINT = "podwardFinding/v1"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""Bytes that stand for themselves everywhere in the path of a URI (RFC 3986, 3.3)."""


class _Part(Struct, rename="camel", frozen=True, omit_defaults=True, gc=False):
    """Base of the format's objects: what has its default is left out."""


class Message(_Part, frozen=True, gc=False):
    """A text."""

    text: str


class Help(_Part, frozen=True, gc=False):
    """A text with its Markdown form."""

    text: str
    markdown: str


class Descriptor(_Part, frozen=True, gc=False):
    """A rule; `name` is its id in CamelCase, as the format wants it."""

    id: str
    name: str
    short_description: Message
    full_description: Message
    help: Help
    properties: Mapping[str, Value]


class Driver(_Part, frozen=True, gc=False):
    """The tool."""

    name: str
    version: str
    semantic_version: str
    rules: tuple[Descriptor, ...]


class Tool(_Part, frozen=True, gc=False):
    """The tool without extensions."""

    driver: Driver


class Artifact(_Part, frozen=True, gc=False):
    """A file."""

    uri: str
    uri_base_id: str = ""


class Region(_Part, frozen=True, gc=False):
    """A line, 1-based."""

    start_line: int


class Physical(_Part, frozen=True, gc=False):
    """A line of a file."""

    artifact_location: Artifact
    region: Region


class Logical(_Part, frozen=True, gc=False):
    """A workload or its container."""

    name: str
    fully_qualified_name: str
    kind: str


class Location(_Part, frozen=True, gc=False):
    """Where: in a file, and in what it describes."""

    physical_location: Physical
    logical_locations: tuple[Logical, ...] = ()


class Suppression(_Part, frozen=True, gc=False):
    """A waiver: in the manifest (`inSource`) or in the configuration (`external`)."""

    kind: str
    status: str
    justification: str
    location: Location


class Result(_Part, frozen=True, gc=False):
    """A finding."""

    rule_id: str
    rule_index: int
    level: str
    message: Message
    locations: tuple[Location, ...]
    partial_fingerprints: Mapping[str, str]
    baseline_state: str = ""
    suppressions: tuple[Suppression, ...] = ()
    properties: Mapping[str, Value] = field(default_factory=dict)


class Base(_Part, frozen=True, gc=False):
    """What relative URIs are relative to: the consumer knows where its checkout is."""

    description: Message


class Invocation(_Part, frozen=True, gc=False):
    """How the run ended."""

    execution_successful: bool
    exit_code: int
    exit_code_description: str


class Run(_Part, frozen=True, gc=False):
    """One run."""

    tool: Tool
    invocations: tuple[Invocation, ...]
    original_uri_base_ids: Mapping[str, Base]
    column_kind: str
    results: tuple[Result, ...]


class Log(_Part, frozen=True, gc=False):
    """The whole file."""

    version: str
    runs: tuple[Run, ...]
    schema: str = field(name="$schema")


def document(report: Report) -> str:
    """The report as SARIF."""
    rules = tuple(_descriptor(rule) for rule in report.rules)
    run = Run(
        Tool(Driver("podward", __version__, __version__, rules)),
        (Invocation(_all_read(report), report.exit_code, _ENDS[report.exit_code]),),
        {ROOT: Base(Message("The directory in which podward was started."))},
        "unicodeCodePoints",
        _Results(report).all(),
    )
    return texts.json_text(Log("2.1.0", (run,), SCHEMA))


_ENDS = {0: "no finding fails the check", 1: "a finding fails the check", 2: "a file could not be read"}
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def _all_read(report: Report) -> bool:
    return not any(family_of(finding.rule) == UNREAD for finding in report.findings)


def _descriptor(rule: Rule) -> Descriptor:
    words = rule.name.replace("/", "-").replace("_", "-").split("-")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    described = Message(rule.description)
    read = f"{rule.description} See {rule.page} in Podward's documentation."
    markdown = f"{rule.description}\n\nSee `{rule.page}` in Podward's documentation."
    tags: Value = ["security", "kubernetes", family_of(rule.name)]
    return Descriptor(rule.name, name, described, described, Help(read, markdown), {"tags": tags, "page": rule.page})


class _Results:
    """Makes the results: what was found, waived, and known before."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._indexes = {rule.name: index for index, rule in enumerate(report.rules)}
        self._seen: dict[str, int] = {}
        compared = bool(report.baselined or report.vanished)
        self._new, self._known = ("new", "unchanged") if compared else ("", "")

    def all(self) -> tuple[Result, ...]:
        """Every result."""
        report = self._report
        known = [self._result(finding, self._known) for finding in report.baselined]
        found = [self._result(finding, self._new) for finding in report.findings]
        waived = [self._result(each.finding, self._new, (_suppression(each.waiver),)) for each in report.waived]
        return (*found, *waived, *known)

    def _result(self, finding: Finding, state: str, suppressions: tuple[Suppression, ...] = ()) -> Result:
        return Result(
            finding.rule,
            self._indexes.get(finding.rule, -1),
            _LEVELS[finding.severity],
            Message(_message(finding)),
            (Location(_physical(finding.file, finding.line), _logical(finding.subject)),),
            {FINGERPRINT: self._fingerprint(finding)},
            state,
            suppressions,
            _properties(finding),
        )

    def _fingerprint(self, finding: Finding) -> str:
        """A digest, and which of those with the same digest it is."""
        digest = hashlib.sha256(finding.fingerprint.encode("utf-8", "backslashreplace")).hexdigest()
        self._seen[digest] = self._seen.get(digest, 0) + 1
        return f"{digest}:{self._seen[digest]}"


def _message(finding: Finding) -> str:
    """The sentence and the remedy: services show this text alone. A text may not look like a link of the format's."""
    said = texts.sentence(finding)
    whole = f"{said}. {printable(finding.remedy)}" if finding.remedy else said
    return whole.replace("](", "] (")


def _properties(finding: Finding) -> dict[str, Value]:
    found: dict[str, Value] = {"path": str(finding.path), "policy": finding.policy, "document": finding.document}
    changes: Sequence[Value] = [
        {"path": str(change.path), "pointer": change.path.pointer, "value": change.value} for change in finding.changes
    ]
    return {**found, "remedy": finding.remedy, "changes": changes} if finding.remedy else found


def _physical(file: str, line: int) -> Physical:
    path = posixpath.normpath(file)
    if path.startswith("/"):
        return Physical(Artifact(f"file://{_uri('/' + path.lstrip('/'))}"), Region(max(line, 1)))
    return Physical(Artifact(_uri(path), ROOT), Region(max(line, 1)))


def _uri(path: str) -> str:
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # no name of a file: those have no other surrogates
        data = path.encode("utf-8", "backslashreplace")
    return "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in data)


def _logical(subject: Subject) -> tuple[Logical, ...]:
    if not subject.kind and not subject.name:
        return ()
    whole = "/".join(part for part in (subject.namespace, subject.kind, subject.name, subject.container) if part)
    name, kind = (subject.container, "object") if subject.container else (subject.name, "resource")
    return (Logical(printable(name), printable(whole), kind),)


def _suppression(waiver: Waiver) -> Suppression:
    why = printable(f"{waiver.reason} (until {waiver.expires})")
    kind = "inSource" if waiver.in_manifest else "external"
    return Suppression(kind, "accepted", why, Location(_physical(waiver.file, waiver.line)))
