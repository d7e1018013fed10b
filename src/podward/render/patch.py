"""A Decision as a patch: the patched document, and the RFC 6902 JSON Patch that makes it.

Both walk the same assignments with the same rules: parents that are absent or null are created first, an assignment
to something that exists replaces it, a list grows at its end, None removes a member.
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field

from podward.api.json_value import Json, JsonObject, copied, copied_object
from podward.decision import Assignment, Decision
from podward.documents.patching import applied, plain, step
from podward.path import Key, Path


class Operation(Struct, frozen=True):
    """One operation of a JSON Patch: `add`, `replace` or `remove`, its JSON Pointer, its value unless it removes."""

    operation: str = field(name="op")
    path: str
    value: Json | UnsetType = UNSET


def apply(raw: JsonObject, decision: Decision) -> JsonObject:
    """A copy of `raw` with the Decision's assignments put in; `raw` itself stays as it is."""
    return applied(raw, decision)


def json_patch(raw: JsonObject, decision: Decision) -> list[Operation]:
    """The operations that turn `raw` into `apply(raw, decision)`, in order; what is so already needs none."""
    document = copied_object(raw)
    operations: list[Operation] = []
    for assignment in decision.assignments:
        operations += _operations(document, assignment)
    return operations


def _operations(document: JsonObject, assignment: Assignment) -> list[Operation]:
    """The operations of one assignment; `document` is patched as they would."""
    place = assignment.path
    made: list[Operation] = []
    node: Json = document
    last = len(place.segments) - 1
    for depth, segment in enumerate(place.segments):
        present, before = _look(node, segment)
        fresh: Json = plain(assignment.value)
        if depth < last:
            fresh = [] if isinstance(place.segments[depth + 1], int) else {}
        pointer = Path(place.segments[: depth + 1]).pointer
        if fresh is None and isinstance(node, dict):
            made += [Operation("remove", pointer)] if present else []
        elif (depth == last and (not present or not _same(before, fresh))) or (depth < last and before is None):
            made.append(Operation("replace" if present else "add", pointer, copied(fresh)))
        node = step(node, segment, fresh, place, replace=depth == last)
    return made


def _look(node: Json, segment: str | int | Key) -> tuple[bool, Json]:
    """Whether `node` has the segment, and what stands there."""
    if isinstance(node, list) and isinstance(segment, int):
        return segment < len(node), node[segment] if segment < len(node) else None
    if isinstance(node, dict) and not isinstance(segment, int):
        name = segment.name if isinstance(segment, Key) else segment
        return name in node, node.get(name)
    return False, None


def _same(before: Json, after: Json) -> bool:
    """Equal as JSON: other than in Python, true is not 1."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return type(before) is type(after) and before == after
