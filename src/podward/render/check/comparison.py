"""What every form of a comparison says alike: the names of the kinds of change, and which changes stand together.

Changes are grouped by their kind, the worst first, and workloads with the same change stand together.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.policy_change import Comparison, Kind, PolicyChange

TITLES = {
    Kind.REFUSED: "newly refused",
    Kind.CAPTURED: "captured by another SCC",
    Kind.SCC: "under another SCC",
    Kind.UID: "other uid",
    Kind.GROUPS: "other groups",
    Kind.SELINUX: "other SELinux label",
    Kind.SECCOMP: "other seccomp profile",
    Kind.CAPABILITIES: "other capabilities",
    Kind.SETTINGS: "other security settings",
    Kind.REASONS: "still refused, for other reasons",
    Kind.ALLOWED: "newly allowed",
    Kind.WARNED: "new Pod Security warnings",
    Kind.CLEARED: "Pod Security warnings that vanish",
}
BAD = frozenset((Kind.REFUSED, Kind.CAPTURED))
"""Kinds that are to catch the eye."""


class Group(Struct, frozen=True):
    """Changes that are the same for several workloads, and those workloads' own changes in order."""

    first: PolicyChange
    shifts: tuple[PolicyChange, ...]


def groups(shifts: tuple[PolicyChange, ...]) -> tuple[Group, ...]:
    """Changes of one kind, those together that say the same; the largest group first."""
    found: dict[tuple[str, str, str, tuple[str, ...]], list[PolicyChange]] = {}
    for shift in shifts:
        found.setdefault((shift.before, shift.after, shift.why, shift.also), []).append(shift)
    ranked = sorted(found.values(), key=len, reverse=True)
    return tuple(Group(same[0], tuple(same)) for same in ranked)


def totals(found: Comparison) -> str:
    """All the sums in one sentence, without its full stop."""
    sums = found.sums
    parts = [f"{TITLES[kind]} {number}" for kind, number in sums.kinds.items()]
    changed = f"{counted(sums.changed, 'workload')} of {sums.workloads} changed"
    said = f"{found.old} → {found.new}: {changed}, {sums.unchanged} unchanged"
    if sums.always_refused:
        said += f" ({sums.always_refused} refused by both)"
    if found.unread:
        parts.append(f"{len(found.unread)} not read")
    return "; ".join((said, *parts))


def counted(number: int, word: str) -> str:
    """Such as `1 workload`, `2 workloads`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
