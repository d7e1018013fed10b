"""What a stage decides: assignments and violations, each with its reason and its source.

A stage returns a `Decision` and nothing else. The typed value that the next stage reads is *folded* out of it
(`Decision.fold`), so what runs and what is explained can't differ. An empty Decision means "no objection", never
"allowed". A value may be `Unknown`: then it stands where the value would stand, and says how to know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from podward.path import Key, Path

Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | Struct | None"
"""What may stand in a field: JSON values, or a typed object of `podward.api`."""

T = TypeVar("T")


class Origin(Enum):
    """The kind of thing that decided a value."""

    MANIFEST = "manifest"
    """A field of the user's document."""
    IMAGE = "image"
    """The image's config, or a file of its file system."""
    NODE = "node"
    """This machine: its kernel, its configuration, its files."""
    DEFAULT = "default"
    """A versioned table of defaults: the API's, the kubelet's, a runtime's."""
    POLICY = "policy"
    """An SCC, a namespace's annotation, a Pod Security Standard."""
    RULE = "rule"
    """A documented behaviour that follows from other values; the name says whose."""


class Source(Struct, frozen=True, gc=False):
    """Who decided: the document or table, and the place in it.

    `name` is a file name, a table's name with its version ("containerd 2.1"), or a manual page ("capabilities(7)").
    `path` is the field in that document; `line` (1-based) is set for plain text files such as an image's
    `/etc/passwd`. The line of a manifest's field is found from `path` when it must be cited.
    """

    origin: Origin
    name: str
    path: Path | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.name if self.line is None else f"{self.name}:{self.line}"
        return where if self.path is None else f"{where} {self.path}"


class Unknown(Struct, frozen=True, gc=False):
    """What stands in the place of a value that cannot be known here: why, and what to do to know it.

    Nothing follows from it but other unknown values. `fold` leaves its place out, so who reads a folded value that
    somebody may act on asks `Decision.unknown` first.
    """

    why: str = msgspec.field(name="unknown")
    remedy: str


class Assignment(Struct, frozen=True, gc=False):
    """A value that the stage sets at a place of its result, and why."""

    path: Path
    value: Value
    reason: str
    source: Source


class Violation(Struct, frozen=True, gc=False):
    """A value that the stage refuses, and why; `reason` is the sentence that the user reads."""

    path: Path
    value: Value
    reason: str
    source: Source


class AwaitedViolation(Violation, frozen=True, gc=False):
    """A refusal for want of something that may still come, such as a Secret: a kubelet tries again until it is there.

    Nothing starts meanwhile, but the later stages are asked all the same.
    """


class Decision(Struct, frozen=True, gc=False):
    """The assignments and violations of one stage or rule, in the order they were made."""

    assignments: tuple[Assignment, ...] = ()
    violations: tuple[Violation, ...] = ()

    def __add__(self, other: Decision) -> Decision:
        if not (other.assignments or other.violations):
            return self
        if not (self.assignments or self.violations):
            return other
        return Decision(self.assignments + other.assignments, self.violations + other.violations)

    @property
    def refused(self) -> bool:
        """Whether anything was refused."""
        return bool(self.violations)

    @property
    def final(self) -> bool:
        """Whether anything was refused for good, so that no later stage is asked."""
        return any(not isinstance(violation, AwaitedViolation) for violation in self.violations)

    def at(self, prefix: Path) -> Decision:
        """The same Decision with its assignments moved below `prefix` of a larger result.

        Violations stay: their places are in what the user wrote, not in what the stage makes.
        """
        moved = tuple(Assignment(prefix + a.path, a.value, a.reason, a.source) for a in self.assignments)
        return Decision(moved, self.violations)

    def after(self, earlier: Decision) -> Decision:
        """The same Decision where its sources name fields that `earlier` wrote: it has the sources of these."""
        written = {each.path: each.source for each in earlier.assignments}
        traced = tuple(
            Assignment(a.path, a.value, a.reason, written[a.source.path]) if a.source.path in written else a
            for a in self.assignments
        )
        return Decision(traced, self.violations)

    def assignment(self, place: Path) -> Assignment | None:
        """The last assignment at exactly `place` or, failing that, at the closest place that contains it."""
        best: Assignment | None = None
        for candidate in self.assignments:
            if place.startswith(candidate.path) and (
                best is None or len(candidate.path.segments) >= len(best.path.segments)
            ):
                best = candidate
        return best

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is not known of the result, each reason once."""
        return tuple(dict.fromkeys(a.value for a in self.assignments if isinstance(a.value, Unknown)))

    def unknown(self, place: Path) -> Unknown | None:
        """Why the value at `place`, or a part of it, is not known; None where it is."""
        for assignment in self.assignments:
            within = assignment.path.startswith(place) or place.startswith(assignment.path)
            if isinstance(assignment.value, Unknown) and within:
                return assignment.value
        return None

    def fold(self, as_type: type[T]) -> T:
        """The typed value that these assignments make together; what is unknown has the type's default.

        Missing parents are created; a list's items must be assigned in order. A later assignment at the same place
        replaces the earlier one. Raises `msgspec.ValidationError` where the assignments do not fit the type: that
        is a defect of the stage, never of the user's input.
        """
        root: dict[str, Value] = {}
        for assignment in self.assignments:
            if isinstance(assignment.value, Unknown):
                _take_out(root, assignment.path)
            else:
                _put(root, assignment.path, assignment.value)
        return msgspec.convert(root, as_type)


def merge(*decisions: Decision) -> Decision:
    """All these Decisions as one, in this order."""
    assignments: list[Assignment] = []
    violations: list[Violation] = []
    for decision in decisions:
        if decision.assignments:
            assignments += decision.assignments
        if decision.violations:
            violations += decision.violations
    return Decision(tuple(assignments), tuple(violations)) if assignments or violations else _NOTHING


_NOTHING = Decision()


def assign(place: Path, value: Value, reason: str, source: Source) -> Decision:
    """A Decision of one assignment."""
    return Decision(assignments=(Assignment(place, value, reason, source),))


def refuse(place: Path, value: Value, reason: str, source: Source) -> Decision:
    """A Decision of one violation."""
    return Decision(violations=(Violation(place, value, reason, source),))


class Outcome(Struct, Generic[T], frozen=True):
    """A stage's Decision and the typed value folded out of it."""

    value: T
    decision: Decision

    def source(self, place: Path, otherwise: Source) -> Source:
        """Who decided the value at `place`; `otherwise` where no stage assigned it."""
        found = self.decision.assignment(place)
        return found.source if found else otherwise


def _put(root: dict[str, Value], place: Path, value: Value) -> None:
    node: dict[str, Value] | list[Value] = root
    last = len(place.segments) - 1
    for depth, segment in enumerate(place.segments):
        fresh: Value = value
        if depth < last:
            fresh = [] if isinstance(place.segments[depth + 1], int) else {}
        if isinstance(node, list):
            node = _put_item(node, segment, fresh, replace=depth == last, place=place)
        else:
            name = segment.name if isinstance(segment, Key) else str(segment)
            if depth == last or node.get(name) is None:
                node[name] = fresh
            node = node[name]  # type: ignore[assignment]  # a parent made by this function is a dict or a list


def _take_out(root: dict[str, Value], place: Path) -> None:
    """Forget what an earlier assignment put in this field; the items of lists are only ever added."""
    node: Value = root
    for segment in place.segments[:-1]:
        if isinstance(node, dict):
            node = node.get(segment.name if isinstance(segment, Key) else str(segment))
        elif isinstance(node, list) and isinstance(segment, int) and segment < len(node):
            node = node[segment]
        else:
            return
    last = place.segments[-1]
    if isinstance(node, dict):
        node.pop(last.name if isinstance(last, Key) else str(last), None)


def _put_item(
    items: list[Value], segment: str | int | Key, fresh: Value, *, replace: bool, place: Path
) -> dict[str, Value] | list[Value]:
    if not isinstance(segment, int) or segment > len(items):
        raise IndexError(f"{place}: list items are assigned in order, {len(items)} so far")
    if segment == len(items):
        items.append(fresh)
    elif replace:
        items[segment] = fresh
    return items[segment]  # type: ignore[return-value]  # only used as a container when it is one
