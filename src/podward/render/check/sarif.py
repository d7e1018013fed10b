"""`check -o sarif`: the report for code scanning services and editors.

Specification: OASIS SARIF 2.1.0 with errata 01, and GitHub's code scanning (docs.github.com, "SARIF support for code
scanning"): it reads rules with help, levels and severities, places by line and column, partial fingerprints. GitHub
takes 25,000 results of a run and shows the 5,000 most severe; it takes 10 MB of gzip and 20 tags of a rule. It ignores
suppressions, baseline states and fixes, which other readers show.

A relative file name is relative to `%SRCROOT%`. A waived finding is a result with an accepted suppression. A finding of
the baseline has the baselineState `unchanged`; if there is a baseline, every other result is `new`. `fixes` are what
`--fix` would write for the finding alone, as replacements of text; the changed fields are in the property bag.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from podward import __version__
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import INPUT_FAMILY, CheckReport, Rule, Waiver, family_of
from podward.decision import Value
from podward.render.check import sarif_regions, texts
from podward.render.check.sarif_model import (
    ArtifactChange,
    ArtifactLocation,
    Fix,
    Invocation,
    Location,
    Log,
    LogicalLocation,
    Message,
    MultiformatMessage,
    Notification,
    PhysicalLocation,
    Region,
    Replacement,
    ReportingConfiguration,
    ReportingDescriptor,
    Result,
    Run,
    Suppression,
    Tool,
    ToolComponent,
    UriBase,
)
from podward.render.escaping import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
FINGERPRINT = "podwardFinding/v1"
PROJECT = "https://github.com/podward/podward"
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")
"""Bytes that need no escape in the path of a URI (RFC 3986, 3.3)."""
_LONGEST_RULE = 1024
"""The most characters of a description that GitHub takes."""


class SourceFiles(Struct, frozen=True):
    """The checked files, as far as the report needs them.

    `line` returns a line of a file, empty if it is not known. `fixes` has the replacements that fix a finding, by the
    finding's index in the report. `unfixed` says why there are no fixes although findings have changes.
    """

    line: Callable[[str, int], str]
    fixes: Mapping[int, tuple[Replacement, ...]]
    unfixed: str = ""


def _unknown(_file: str, _number: int) -> str:
    return ""


NO_SOURCE_FILES = SourceFiles(_unknown, {})


def document(report: CheckReport, sources: SourceFiles = NO_SOURCE_FILES) -> str:
    """The report as SARIF."""
    rules = tuple(_descriptor(rule) for rule in report.rules)
    notifications = (Notification(Message(sources.unfixed), "note"),) if sources.unfixed else ()
    run = Run(
        Tool(ToolComponent("podward", __version__, __version__, PROJECT, rules)),
        (Invocation(_all_read(report), report.exit_code, _ENDS[report.exit_code], notifications),),
        {ROOT: UriBase(Message("The directory in which podward was started."))},
        "utf16CodeUnits",
        _Results(report, sources).all(),
    )
    return texts.json_text(Log("2.1.0", (run,), SCHEMA))


_ENDS = {0: "no finding fails the check", 1: "a finding fails the check", 2: "a file could not be read"}
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def _all_read(report: CheckReport) -> bool:
    return not any(family_of(finding.rule) == INPUT_FAMILY for finding in report.findings)


def _descriptor(rule: Rule) -> ReportingDescriptor:
    words = rule.name.replace("/", "-").replace("_", "-").split("-")
    name = "".join(word[:1].upper() + word[1:] for word in words)
    described = Message(rule.description[:_LONGEST_RULE])
    page = f"{PROJECT}/blob/v{__version__}/{_uri(rule.page)}"
    explained = MultiformatMessage(
        f"{rule.description} See {page}", f"{rule.description}\n\n[More about {rule.name}]({page})"
    )
    family = family_of(rule.name)
    level = "warning" if family in _ADVICE else "error"
    about: dict[str, Value] = {"page": rule.page}
    score = _score(rule.name)
    if score:
        precision = "high" if family in _ADVICE else "very-high"
        about |= {"tags": ["security", "kubernetes", family], "precision": precision, "security-severity": score}
    else:
        about |= {"tags": ["kubernetes", family], "problem.severity": level}
    return ReportingDescriptor(
        rule.name,
        name,
        described,
        described,
        explained,
        page,
        ReportingConfiguration(level),
        about,
    )


_ADVICE = frozenset(("hint", "waiver"))
_SCORES = {"pss": "5.0", "scc": "5.0", "hint": "3.0"}
_GRAVE = frozenset(
    (
        "pss/capabilities_baseline",
        "pss/hostNamespaces",
        "pss/hostPathVolumes",
        "pss/privileged",
        "pss/procMount",
        "pss/windowsHostProcess",
        "scc/capabilities",
        "scc/hostIPC",
        "scc/hostNetwork",
        "scc/hostPID",
        "scc/privileged",
    )
)
"""Rules whose findings give a container a way to its node."""


def _score(rule: str) -> str:
    """The severity for GitHub: `low` below 4.0, `medium` below 7.0, `high` below 9.0; empty for none."""
    return "8.0" if rule in _GRAVE else _SCORES.get(family_of(rule), "")


class _Results:
    """Makes the results: new, waived and known findings."""

    def __init__(self, report: CheckReport, sources: SourceFiles) -> None:
        self._report = report
        self._sources = sources
        self._indexes = {rule.name: index for index, rule in enumerate(report.rules)}
        self._fingerprints = texts.Fingerprints()
        self._artifacts: dict[str, ArtifactLocation] = {}
        compared = bool(report.baselined or report.vanished)
        self._new, self._known = ("new", "unchanged") if compared else ("", "")

    def all(self) -> tuple[Result, ...]:
        """All results."""
        report, fixes = self._report, self._sources.fixes
        known = [self._result(finding, self._known) for finding in report.baselined]
        found = [
            self._result(finding, self._new, fixes=_fixes(finding, fixes.get(index, ())))
            for index, finding in enumerate(report.findings)
        ]
        waived = [self._result(each.finding, self._new, (self._suppression(each.waiver),)) for each in report.waived]
        return (*found, *waived, *known)

    def _result(
        self,
        finding: Finding,
        state: str,
        suppressions: tuple[Suppression, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> Result:
        return Result(
            finding.rule,
            self._indexes.get(finding.rule, -1),
            _LEVELS[finding.severity],
            Message(_message(finding)),
            (Location(self._physical(finding.file, finding.line), _logical(finding.subject)),),
            {FINGERPRINT: self._fingerprints.of(finding)},
            state,
            suppressions,
            fixes,
            _properties(finding),
        )

    def _physical(self, file: str, line: int) -> PhysicalLocation:
        number = max(line, 1)
        text = self._sources.line(file, number)
        if file not in self._artifacts:
            self._artifacts[file] = _artifact(file)
        return PhysicalLocation(self._artifacts[file], sarif_regions.of_line(text, number) if text else Region(number))

    def _suppression(self, waiver: Waiver) -> Suppression:
        why = printable(f"{waiver.reason} (until {waiver.expires})")
        kind = "inSource" if waiver.in_manifest else "external"
        return Suppression(kind, "accepted", why, Location(self._physical(waiver.file, waiver.line)))


def _message(finding: Finding) -> str:
    """The sentence and the remedy: many services show only this text. It must not look like a link of SARIF."""
    said = texts.sentence(finding)
    whole = f"{said}. {printable(texts.short(finding.remedy))}" if finding.remedy else said
    return whole.replace("](", "] (")


def _properties(finding: Finding) -> dict[str, Value]:
    found: dict[str, Value] = {"path": str(finding.path), "policy": finding.policy, "document": finding.document}
    changes: Sequence[Value] = [
        {"path": str(change.path), "pointer": change.path.pointer, "value": change.value} for change in finding.changes
    ]
    return {**found, "remedy": finding.remedy, "changes": changes} if finding.remedy else found


def _fixes(finding: Finding, replacements: tuple[Replacement, ...]) -> tuple[Fix, ...]:
    if not replacements:
        return ()
    said = printable(finding.remedy).replace("](", "] (")
    return (Fix(Message(said), (ArtifactChange(_artifact(finding.file), replacements),)),)


def _artifact(file: str) -> ArtifactLocation:
    path = posixpath.normpath(file)
    if path.startswith("/"):
        return ArtifactLocation(f"file://{_uri('/' + path.lstrip('/'))}")
    return ArtifactLocation(_uri(path), ROOT)


def _uri(path: str) -> str:
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # not the name of a file, because these have no other surrogates
        data = path.encode("utf-8", "backslashreplace")
    return "".join(chr(byte) if byte in _SAFE else f"%{byte:02X}" for byte in data)


def _logical(subject: WorkloadRef) -> tuple[LogicalLocation, ...]:
    if not subject.kind and not subject.name:
        return ()
    whole = "/".join(part for part in (subject.namespace, subject.kind, subject.name, subject.container) if part)
    name, kind = (subject.container, "object") if subject.container else (subject.name, "resource")
    return (LogicalLocation(printable(name), printable(whole), kind),)
