"""Putting a Decision's assignments into a raw document.

The document is copied, never changed, and never re-encoded from a typed view: what no assignment names stays as it
was written, known field or not. Parents that are absent or null are created. An assigned None removes the member: to
Kubernetes null and absent are the same. In a list it stays null, so that the other items keep their places.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import to_builtins

from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Decision, Value
from podward.path import Key, Path

_Segments: TypeAlias = tuple[str | int | Key, ...]


def applied(raw: JsonObject, decision: Decision) -> JsonObject:
    """A copy of `raw` with the assignments put in, in their order.

    Raises LookupError or TypeError where an assignment does not fit the document's shape: a defect of the rule that
    made it, never of the user's input.
    """
    patched = copied_object(raw)
    for assignment in decision.assignments:
        put(patched, assignment.path, plain(assignment.value))
    return patched


def overlaid(raw: JsonObject, decision: Decision) -> JsonObject:
    """What `applied` makes, sharing with `raw` all that no assignment touches: neither may be changed afterwards.

    For documents that are only read: it costs the assigned places, not the document. Raises as `applied` does.
    """
    root = dict(raw)
    own: dict[_Segments, Json] = {(): root}  # what was copied or made here, by its place
    above: _Segments = ()
    parent: Json = root
    for assignment in decision.assignments:
        segments = assignment.path.segments
        if not segments:
            raise LookupError("the root of a document cannot be assigned")
        last = segments[-1]
        if segments[:-1] != above:  # the fields of an object are mostly assigned one after the other
            above = segments[:-1]
            parent = own.get(above)
            if parent is None:
                parent = _owned(own, above, last, assignment.path)
        value = plain(assignment.value)
        if isinstance(parent, dict) and not isinstance(last, int):
            name = last.name if isinstance(last, Key) else last
            if type(parent.get(name)) not in _SCALARS:
                own = {(): root}  # what was made below the replaced value is not there any more
            _put_member(parent, name, value)
        else:
            own = {(): root}
            step(parent, last, value, assignment.path, replace=True)
    return root


def _owned(own: dict[_Segments, Json], above: _Segments, below: str | int | Key, place: Path) -> Json:
    """A copy, put in its place, of what stands at `above`; absent or null, it is made to hold the segment `below`."""
    parent = own.get(above[:-1])
    if parent is None:
        parent = _owned(own, above[:-1], above[-1], place)
    segment = above[-1]
    if isinstance(parent, dict) and not isinstance(segment, int):
        name = segment.name if isinstance(segment, Key) else segment
        found = parent.get(name)
    else:
        found = step(parent, segment, None, place, replace=False)
    if found is None:
        found = [] if isinstance(below, int) else {}
    elif isinstance(found, dict | list):
        found = found.copy()
    own[above] = step(parent, segment, found, place, replace=True)
    return found


def plain(value: Value) -> Json:
    """The JSON value of an assigned one; a fresh copy."""
    if type(value) in _SCALARS:
        return value  # type: ignore[return-value]  # a scalar is JSON as it is
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
            _put_member(node, name, fresh)
        return node.get(name)
    raise TypeError(f"{place}: {segment!r} leads into {type(node).__name__}")


def _put_member(node: JsonObject, name: str, value: Json) -> None:
    if value is None:
        node.pop(name, None)
    else:
        node[name] = value


_SCALARS = frozenset((bool, int, float, str, type(None)))
