"""Putting a Decision's assignments into a raw document.

The document is copied, never changed, and never re-encoded from a typed view: what no assignment names stays as it
was written, known field or not. Parents that are absent or null are created.
"""

from __future__ import annotations

from msgspec import to_builtins

from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Decision, Value
from podward.path import Key, Path


def applied(raw: JsonObject, decision: Decision) -> JsonObject:
    """A copy of `raw` with the assignments put in, in their order.

    Raises LookupError or TypeError where an assignment does not fit the document's shape: a defect of the rule that
    made it, never of the user's input.
    """
    patched = copied_object(raw)
    for assignment in decision.assignments:
        put(patched, assignment.path, plain(assignment.value))
    return patched


def plain(value: Value) -> Json:
    """The JSON value of an assigned one; a fresh copy."""
    return _without_tuples(to_builtins(value))


def _without_tuples(value: Json | tuple[Json, ...]) -> Json:
    if isinstance(value, dict):
        return {name: _without_tuples(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_tuples(item) for item in value]
    return value


def put(root: JsonObject, place: Path, value: Json) -> None:
    """Set `value` at `place` of `root`, which is changed."""
    if not place.segments:
        raise LookupError("the root of a document cannot be assigned")
    node: Json = root
    last = len(place.segments) - 1
    for depth, segment in enumerate(place.segments):
        fresh: Json = value
        if depth < last:
            fresh = [] if isinstance(place.segments[depth + 1], int) else {}
        node = step(node, segment, fresh, place, replace=depth == last)


def step(node: Json, segment: str | int | Key, fresh: Json, place: Path, *, replace: bool) -> Json:
    """What stands at `segment` of `node`, which becomes `fresh` where it is absent or null, or to be replaced."""
    if isinstance(node, list) and isinstance(segment, int):
        if segment > len(node):
            raise LookupError(f"{place}: the list has {len(node)} items")
        if segment == len(node):
            node.append(fresh)
        elif replace or node[segment] is None:
            node[segment] = fresh
        return node[segment]
    if isinstance(node, dict) and not isinstance(segment, int):
        name = segment.name if isinstance(segment, Key) else segment
        if replace or node.get(name) is None:
            node[name] = fresh
        return node[name]
    raise TypeError(f"{place}: {segment!r} leads into {type(node).__name__}")
