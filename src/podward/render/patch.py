"""A Decision as an RFC 6902 JSON Patch, and the document that the patch makes.

Both follow the same rules: parents that are absent or null are created first, an assignment to an existing field
replaces its value, a list grows at its end, None removes a member.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field

from podward.api.json_value import Json, JsonObject, copied, copied_object
from podward.decision import Assignment, Decision
from podward.documents.patching import applied, child_at, json_of
from podward.path import Key, Path


class Operation(Struct, frozen=True):
    """One operation of a JSON Patch: `add`, `replace` or `remove`, its JSON Pointer, its value unless it removes."""

    operation: str = field(name="op")
    path: str
    value: Json | UnsetType = UNSET


def apply(raw: JsonObject, decision: Decision) -> JsonObject:
    """A copy of `raw` in which the Decision's assignments are made."""
    return applied(raw, decision)


def json_patch(raw: JsonObject, decision: Decision) -> list[Operation]:
    """The operations that turn `raw` into `apply(raw, decision)`, in order; none for values that are there already."""
    document = copied_object(raw)
    operations: list[Operation] = []
    for assignment in decision.assignments:
        operations += _operations(document, assignment)
    return operations


def _operations(document: JsonObject, assignment: Assignment) -> list[Operation]:
    """The operations of one assignment; they are also applied to `document`."""
    place = assignment.path
    operations: list[Operation] = []
    node: Json = document
    last = len(place.segments) - 1
    for depth, segment in enumerate(place.segments):
        present, before = _look(node, segment)
        fresh: Json = json_of(assignment.value)
        if depth < last:
            fresh = [] if isinstance(place.segments[depth + 1], int) else {}
        pointer = Path(place.segments[: depth + 1]).pointer
        if fresh is None and isinstance(node, dict):
            operations += [Operation("remove", pointer)] if present else []
        elif (depth == last and (not present or not _same(before, fresh))) or (depth < last and before is None):
            operations.append(Operation("replace" if present else "add", pointer, copied(fresh)))
        node = child_at(node, segment, fresh, place, replace=depth == last)
    return operations


def _look(node: Json, segment: str | int | Key) -> tuple[bool, Json]:
    """Whether `node` has the segment, and the value there."""
    if isinstance(node, list) and isinstance(segment, int):
        return segment < len(node), node[segment] if segment < len(node) else None
    if isinstance(node, dict) and not isinstance(segment, int):
        name = segment.name if isinstance(segment, Key) else segment
        return name in node, node.get(name)
    return False, None


def _same(before: Json, after: Json) -> bool:
    """Whether two values are equal as JSON. Unlike in Python, true is not equal to 1."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return type(before) is type(after) and before == after
