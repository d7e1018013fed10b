"""`check --compare -o json`. Its schema is docs/schema/compare.schema.json."""

from __future__ import annotations

from msgspec import Struct

from podward.api.finding import Finding, WorkloadRef
from podward.api.policy_change import (
    ChangeKind,
    ComparedWorkload,
    ComparisonSummary,
    PolicyChange,
    PolicyComparison,
    WorkloadOutcome,
)
from podward.render.check import texts

VERSION = 1
"""The version of the document's form. It is raised when a field is removed or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base of the document's objects: every field is always there."""


class JsonSubject(_Part, frozen=True, gc=False):
    """A workload."""

    kind: str
    namespace: str
    name: str


class JsonPolicy(_Part, frozen=True, gc=False):
    """The field of a policy that decides: the policy's name, the field's path and `file:line`; empty without one."""

    name: str
    path: str
    where: str


class JsonReasons(_Part, frozen=True, gc=False):
    """Why a workload is refused, in sentences: reasons of the new side only, of the old side only, and of both."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]


class JsonPolicyChange(_Part, frozen=True, gc=False):
    """One change; `reasons` is set only if both sides refuse the workload."""

    kind: str
    file: str
    line: int
    subject: JsonSubject
    before: str
    after: str
    why: str
    also: tuple[str, ...]
    policy: JsonPolicy
    reasons: JsonReasons | None


class JsonOutcome(_Part, frozen=True, gc=False):
    """The outcome of a workload on one side; `scc` is empty without one."""

    refused: bool
    scc: str


class JsonWorkload(_Part, frozen=True, gc=False):
    """A workload, whether or not anything changes for it."""

    file: str
    line: int
    subject: JsonSubject
    before: JsonOutcome
    after: JsonOutcome


class JsonUnread(_Part, frozen=True, gc=False):
    """A finding about what could not be read."""

    file: str
    line: int
    rule: str
    message: str


class JsonSummary(_Part, frozen=True, gc=False):
    """The numbers of workloads; `kinds` has every kind of change, also with 0."""

    workloads: int
    changed: int
    unchanged: int
    always_refused: int
    kinds: dict[str, int]


class ComparisonDocument(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    exit_code: int
    old: str
    new: str
    summary: JsonSummary
    changes: tuple[JsonPolicyChange, ...]
    workloads: tuple[JsonWorkload, ...]
    unread: tuple[JsonUnread, ...]
    notes: tuple[str, ...]


def document(found: PolicyComparison) -> str:
    """The comparison as JSON, indented."""
    return texts.json_text(
        ComparisonDocument(
            VERSION,
            found.exit_code,
            found.old,
            found.new,
            _summary(found.summary),
            tuple(_change(change) for kind in ChangeKind for change in found.of_kind(kind)),
            tuple(_placed(place) for place in found.workloads),
            tuple(_unread(finding) for finding in found.unread),
            found.notes,
        )
    )


def _summary(summary: ComparisonSummary) -> JsonSummary:
    kinds = {kind.value: summary.kinds.get(kind, 0) for kind in ChangeKind}
    return JsonSummary(summary.workloads, summary.changed, summary.unchanged, summary.always_refused, kinds)


def _change(change: PolicyChange) -> JsonPolicyChange:
    source, reasons = change.source, change.reasons
    place = "" if source is None or source.path is None else str(source.path)
    return JsonPolicyChange(
        change.kind.value,
        change.file,
        change.line,
        _subject(change.subject),
        change.before,
        change.after,
        change.why,
        change.also,
        JsonPolicy("" if source is None else source.name, place, change.policy),
        None if reasons is None else JsonReasons(reasons.new, reasons.gone, reasons.kept),
    )


def _placed(place: ComparedWorkload) -> JsonWorkload:
    return JsonWorkload(place.file, place.line, _subject(place.subject), _outcome(place.before), _outcome(place.after))


def _outcome(outcome: WorkloadOutcome) -> JsonOutcome:
    return JsonOutcome(outcome.refused, outcome.scc)


def _subject(subject: WorkloadRef) -> JsonSubject:
    return JsonSubject(subject.kind, subject.namespace, subject.name)


def _unread(finding: Finding) -> JsonUnread:
    return JsonUnread(finding.file, finding.line, finding.rule, finding.message)
