"""Server-side apply would change what others own: whose, and which fields.

Specification: structured-merge-diff v6, merge/conflict.go, and apimachinery, util/managedfields/internal/conflict.go,
whose sentences these are.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.gotext import quote
from podward.schema.apply.field_set import FieldSet, paths
from podward.schema.apply.managers import UPDATE, ManagerKey


class Conflict(Struct, frozen=True):
    """A field that another manager owns; `path` as messages print it."""

    manager: str
    path: str

    @property
    def message(self) -> str:
        """What the cause of the refusal says."""
        return f"conflict with {self.manager}"


class Conflicts(Struct, frozen=True):
    """Why an apply is refused with 409 and reason Conflict; each conflict is a cause, FieldManagerConflict."""

    conflicts: tuple[Conflict, ...]

    @property
    def message(self) -> str:
        """The sentence of the refusal."""
        if len(self.conflicts) == 1:
            only = self.conflicts[0]
            return f"Apply failed with 1 conflict: {only.message}: {only.path}"
        lines: list[str] = []
        for manager in sorted({each.manager for each in self.conflicts}):
            lines.append(f"conflicts with {manager}:")
            lines += [f"- {each.path}" for each in self.conflicts if each.manager == manager]
        return f"Apply failed with {len(self.conflicts)} conflicts: " + "\n".join(lines)

    def without(self, allowed: FieldSet) -> Conflicts:
        """Those about other fields than these."""
        granted = set(paths(allowed))
        return Conflicts(tuple(each for each in self.conflicts if each.path not in granted))


def conflicts_of(taken: Iterable[tuple[ManagerKey, FieldSet]]) -> Conflicts:
    """The conflicts with these managers about these fields."""
    ordered = sorted(taken, key=lambda pair: pair[0])
    return Conflicts(tuple(Conflict(_shown(key), path) for key, fields in ordered for path in paths(fields)))


def _shown(key: ManagerKey) -> str:
    shown = quote(key.name)
    if key.subresource:
        shown += f" with subresource {quote(key.subresource)}"
    return f"{shown} using {key.api_version}" if key.operation == UPDATE else shown
