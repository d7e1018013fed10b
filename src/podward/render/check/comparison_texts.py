"""What the table and the page of a comparison share: the titles of the kinds of change, and the grouping of changes.

Changes are grouped by their kind, the worst kind first. Within a kind, workloads with the same change are one group.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.policy_change import ChangeKind, PolicyChange, PolicyComparison
from podward.render.check.texts import counted

TITLES = {
    ChangeKind.REFUSED: "newly refused",
    ChangeKind.CAPTURED: "captured by another SCC",
    ChangeKind.SCC: "under another SCC",
    ChangeKind.UID: "other uid",
    ChangeKind.GROUPS: "other groups",
    ChangeKind.SELINUX: "other SELinux label",
    ChangeKind.SECCOMP: "other seccomp profile",
    ChangeKind.CAPABILITIES: "other capabilities",
    ChangeKind.SETTINGS: "other security settings",
    ChangeKind.REASONS: "still refused, for other reasons",
    ChangeKind.ALLOWED: "newly allowed",
    ChangeKind.WARNED: "new Pod Security warnings",
    ChangeKind.CLEARED: "Pod Security warnings that vanish",
}
BAD = frozenset((ChangeKind.REFUSED, ChangeKind.CAPTURED))
"""Kinds that are highlighted."""


class Group(Struct, frozen=True):
    """Workloads with the same change: the change of the `first` one, and the changes of all, in order."""

    first: PolicyChange
    changes: tuple[PolicyChange, ...]


def groups(changes: tuple[PolicyChange, ...]) -> tuple[Group, ...]:
    """Changes of one kind in groups that say the same; the largest group comes first."""
    found: dict[tuple[str, str, str, tuple[str, ...]], list[PolicyChange]] = {}
    for change in changes:
        found.setdefault((change.before, change.after, change.why, change.also), []).append(change)
    ranked = sorted(found.values(), key=len, reverse=True)
    return tuple(Group(same[0], tuple(same)) for same in ranked)


def totals(found: PolicyComparison) -> str:
    """All numbers in one sentence, without its full stop."""
    summary = found.summary
    parts = [f"{TITLES[kind]} {number}" for kind, number in summary.kinds.items()]
    changed = f"{counted(summary.changed, 'workload')} of {summary.workloads} changed"
    said = f"{found.old} → {found.new}: {changed}, {summary.unchanged} unchanged"
    if summary.always_refused:
        said += f" ({summary.always_refused} refused by both)"
    if found.unread:
        parts.append(f"{len(found.unread)} not read")
    return "; ".join((said, *parts))
