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
"""Of the form of the JSON document: raised when a field is taken away or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base: every field is always there."""


class ShownSubject(_Part, frozen=True, gc=False):
    """A workload."""

    kind: str
    namespace: str
    name: str


class ShownPolicy(_Part, frozen=True, gc=False):
    """The field of a policy that decides: whose, which, and `file:line`; empty strings where there is none."""

    name: str
    path: str
    where: str


class ShownReasons(_Part, frozen=True, gc=False):
    """Why a workload is refused, in sentences: what is new, what no longer counts, and what both sides say."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]


class ShownChange(_Part, frozen=True, gc=False):
    """One change; `reasons` only where both sides refuse."""

    kind: str
    file: str
    line: int
    subject: ShownSubject
    before: str
    after: str
    why: str
    also: tuple[str, ...]
    policy: ShownPolicy
    reasons: ShownReasons | None


class JsonOutcome(_Part, frozen=True, gc=False):
    """What became of a workload on one side; `scc` is empty without one."""

    refused: bool
    scc: str


class ShownWorkload(_Part, frozen=True, gc=False):
    """A workload, whether or not anything changes for it."""

    file: str
    line: int
    subject: ShownSubject
    before: JsonOutcome
    after: JsonOutcome


class ShownUnread(_Part, frozen=True, gc=False):
    """What could not be read."""

    file: str
    line: int
    rule: str
    message: str


class ShownSummary(_Part, frozen=True, gc=False):
    """The sums; `kinds` has every kind of change, also those that there are none of."""

    workloads: int
    changed: int
    unchanged: int
    always_refused: int
    kinds: dict[str, int]


class Shown(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    exit_code: int
    old: str
    new: str
    summary: ShownSummary
    changes: tuple[ShownChange, ...]
    workloads: tuple[ShownWorkload, ...]
    unread: tuple[ShownUnread, ...]
    notes: tuple[str, ...]


def document(found: PolicyComparison) -> str:
    """The comparison as JSON, indented."""
    return texts.json_text(
        Shown(
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


def _summary(summary: ComparisonSummary) -> ShownSummary:
    kinds = {kind.value: summary.kinds.get(kind, 0) for kind in ChangeKind}
    return ShownSummary(summary.workloads, summary.changed, summary.unchanged, summary.always_refused, kinds)


def _change(change: PolicyChange) -> ShownChange:
    source, reasons = change.source, change.reasons
    place = "" if source is None or source.path is None else str(source.path)
    return ShownChange(
        change.kind.value,
        change.file,
        change.line,
        _subject(change.subject),
        change.before,
        change.after,
        change.why,
        change.also,
        ShownPolicy("" if source is None else source.name, place, change.policy),
        None if reasons is None else ShownReasons(reasons.new, reasons.gone, reasons.kept),
    )


def _placed(place: ComparedWorkload) -> ShownWorkload:
    return ShownWorkload(place.file, place.line, _subject(place.subject), _outcome(place.before), _outcome(place.after))


def _outcome(outcome: WorkloadOutcome) -> JsonOutcome:
    return JsonOutcome(outcome.refused, outcome.scc)


def _subject(subject: WorkloadRef) -> ShownSubject:
    return ShownSubject(subject.kind, subject.namespace, subject.name)


def _unread(finding: Finding) -> ShownUnread:
    return ShownUnread(finding.file, finding.line, finding.rule, finding.message)
