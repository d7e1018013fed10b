"""What another set of policies changes for a workload: one change, from what to what, and which policy does it.

Renderers (table, JSON, HTML) read these values and nothing else.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from podward.api.finding import Finding, WorkloadRef
from podward.decision import Source


class Kind(Enum):
    """What changes, the worst first."""

    REFUSED = "refused"
    """The workload was admitted, and no longer is."""
    CAPTURED = "captured"
    """An SCC that OpenShift does not ship now stands before the one that the workload had."""
    SCC = "scc"
    """Another SCC for another reason."""
    UID = "uid"
    GROUPS = "groups"
    """fsGroup or supplementalGroups."""
    SELINUX = "selinux"
    SECCOMP = "seccomp"
    CAPABILITIES = "capabilities"
    SETTINGS = "settings"
    """Any other security setting of the Pod or a container, such as a root file system that is read-only now."""
    REASONS = "reasons"
    """The workload is refused by both, but not for the same reasons: something else has to be done about it now."""
    ALLOWED = "allowed"
    """The workload was refused, and no longer is."""
    WARNED = "warned"
    """Pod Security warns about something, or records it, that it said nothing about."""
    CLEARED = "cleared"
    """It no longer does."""


class Reasons(Struct, frozen=True):
    """Why a workload is refused, each in one sentence: what is new, what no longer counts, and what both sides say."""

    new: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]


class PolicyChange(Struct, frozen=True):
    """One change for one workload.

    `file` and `line` (1-based) are where the workload is written or, where it is refused, the field at fault. `before`
    and `after` are what the two sides make of it, `why` is one sentence with the field of a policy that `source` names;
    `policy` is `file:line` of that field, empty for what no file says. `also` are further sentences. `reasons` are
    there for a workload that both sides refuse.
    """

    kind: Kind
    file: str
    line: int
    subject: WorkloadRef
    before: str
    after: str
    why: str
    source: Source | None = None
    policy: str = ""
    also: tuple[str, ...] = ()
    reasons: Reasons | None = None


class WorkloadOutcome(Struct, frozen=True):
    """What became of a workload on one side: refused, or admitted, by the SCC of this name if there are SCCs."""

    refused: bool
    scc: str = ""


class Placed(Struct, frozen=True):
    """A workload, whether or not anything changes for it, and its fate on both sides."""

    file: str
    line: int
    subject: WorkloadRef
    before: WorkloadOutcome
    after: WorkloadOutcome


class Sums(Struct, frozen=True):
    """How many workloads there are, for how many something changes, and how many of the others both sides refuse.

    `kinds` has the number of workloads of each kind of change that there is.
    """

    workloads: int
    changed: int
    unchanged: int
    always_refused: int
    kinds: dict[Kind, int]


class Comparison(Struct, frozen=True):
    """Two sets of policies, by the names they were asked for, and what lies between them.

    `unread` are the files and documents that could not be read, `notes` sentences about the question itself.
    """

    old: str
    new: str
    shifts: tuple[PolicyChange, ...]
    placed: tuple[Placed, ...]
    unread: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sums(self) -> Sums:
        """The sums."""
        kinds: dict[Kind, int] = {}
        for kind in Kind:
            number = sum(shift.kind is kind for shift in self.shifts)
            if number:
                kinds[kind] = number
        changed = {(shift.file, shift.subject) for shift in self.shifts}
        still = [place for place in self.placed if (place.file, place.subject) not in changed]
        refused = sum(place.before.refused and place.after.refused for place in still)
        return Sums(len(self.placed), len(self.placed) - len(still), len(still), refused, kinds)

    @property
    def exit_code(self) -> int:
        """2 where something could not be read, else as diff(1): 1 where anything changes, 0 where nothing does."""
        if self.unread:
            return 2
        return 1 if self.shifts else 0

    def of_kind(self, kind: Kind) -> tuple[PolicyChange, ...]:
        """The changes of this kind, in order."""
        return tuple(shift for shift in self.shifts if shift.kind is kind)
