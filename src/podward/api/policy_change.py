"""The result of `check --compare`: what another set of policies changes for each workload, and which policy does it.

The renderers (table, JSON, HTML) read only these values.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from podward.api.finding import Finding, WorkloadRef
from podward.decision import Source


class ChangeKind(Enum):
    """The kinds of change, the worst first."""

    REFUSED = "refused"
    """The workload was admitted, and no longer is."""
    CAPTURED = "captured"
    """An SCC that OpenShift does not ship now comes before the SCC that the workload had."""
    SCC = "scc"
    """Another SCC takes the workload, for any other reason."""
    UID = "uid"
    GROUPS = "groups"
    """fsGroup or supplementalGroups."""
    SELINUX = "selinux"
    SECCOMP = "seccomp"
    CAPABILITIES = "capabilities"
    SETTINGS = "settings"
    """Any other security setting of the Pod or a container, such as a root file system that becomes read-only."""
    REASONS = "reasons"
    """Both refuse the workload, but for different reasons: its author has to do something else now."""
    ALLOWED = "allowed"
    """The workload was refused, and no longer is."""
    WARNED = "warned"
    """Pod Security now warns about something, or records it."""
    CLEARED = "cleared"
    """Pod Security no longer warns about something, or records it."""


class RefusalReasons(Struct, frozen=True):
    """Why a workload is refused, in sentences: reasons of the new side only, of the old side only, and of both."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]


class PolicyChange(Struct, frozen=True):
    """One change for one workload.

    `file` and `line` (1-based) are the place of the workload; for a refused workload, of the field that is refused.
    `before` and `after` are its outcomes on the two sides. `why` is one sentence about the field of a policy that
    `source` names; `policy` is `file:line` of that field, empty if it is in no file. `also` has further sentences.
    `reasons` is set only for a workload that both sides refuse.
    """

    kind: ChangeKind
    file: str
    line: int
    subject: WorkloadRef
    before: str
    after: str
    why: str
    source: Source | None = None
    policy: str = ""
    also: tuple[str, ...] = ()
    reasons: RefusalReasons | None = None


class WorkloadOutcome(Struct, frozen=True):
    """The outcome of a workload on one side: refused, or admitted (by the SCC of this name, if there are SCCs)."""

    refused: bool
    scc: str = ""


class ComparedWorkload(Struct, frozen=True):
    """A workload and its outcome on both sides, whether or not anything changes for it."""

    file: str
    line: int
    subject: WorkloadRef
    before: WorkloadOutcome
    after: WorkloadOutcome


class ComparisonSummary(Struct, frozen=True):
    """The number of workloads: all, changed and unchanged ones, and unchanged ones that both sides refuse.

    `kinds` has the number of changed workloads for each kind of change that occurs.
    """

    workloads: int
    changed: int
    unchanged: int
    always_refused: int
    kinds: dict[ChangeKind, int]


class PolicyComparison(Struct, frozen=True):
    """The comparison of two sets of policies; `old` and `new` are their names on the command line.

    `unread` are findings about files and documents that could not be read, `notes` sentences about the policies.
    """

    old: str
    new: str
    changes: tuple[PolicyChange, ...]
    workloads: tuple[ComparedWorkload, ...]
    unread: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> ComparisonSummary:
        """The numbers of workloads."""
        kinds: dict[ChangeKind, int] = {}
        for kind in ChangeKind:
            number = sum(change.kind is kind for change in self.changes)
            if number:
                kinds[kind] = number
        changed = {(change.file, change.subject) for change in self.changes}
        still = [place for place in self.workloads if (place.file, place.subject) not in changed]
        refused = sum(place.before.refused and place.after.refused for place in still)
        return ComparisonSummary(len(self.workloads), len(self.workloads) - len(still), len(still), refused, kinds)

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, else as diff(1): 1 if anything changes, 0 if nothing does."""
        if self.unread:
            return 2
        return 1 if self.changes else 0

    def of_kind(self, kind: ChangeKind) -> tuple[PolicyChange, ...]:
        """The changes of this kind, in order."""
        return tuple(change for change in self.changes if change.kind is kind)
