"""Applying a Decision's assignments to a raw document.

The document is copied, never changed, and never encoded from a typed view: fields that no assignment names stay as they
were written, whether Podward knows them or not. Parents that are absent or null are created. An assigned None removes
the member: to Kubernetes null and absent are the same. In a list it stays null, so that the other items keep their
places.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import to_builtins

from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Decision, Value
from podward.path import Key, Path

_Segments: TypeAlias = tuple[str | int | Key, ...]


def applied(raw: JsonObject, decision: Decision) -> JsonObject:
    """A copy of `raw` in which the assignments are made, in their order.

    Raises LookupError or TypeError if an assignment does not fit the document. That is a defect of the rule that made
    the assignment, never of the user's input.
    """
    patched = copied_object(raw)
    for assignment in decision.assignments:
        put(patched, assignment.path, json_of(assignment.value))
    return patched


def overlaid(raw: JsonObject, decision: Decision) -> JsonObject:
    """The same as `applied`, but the answer shares with `raw` all parts without an assignment.

    So neither of the two may be changed afterwards. Use it for documents that are only read: only the assigned places
    are copied, not the whole document. Raises what `applied` raises.
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
        value = json_of(assignment.value)
        if isinstance(parent, dict) and not isinstance(last, int):
            name = last.name if isinstance(last, Key) else last
            if type(parent.get(name)) not in _SCALARS:
                own = {(): root}  # what was made below the replaced value is not there any more
            _put_member(parent, name, value)
        else:
            own = {(): root}
            child_at(parent, last, value, assignment.path, replace=True)
    return root


def _owned(own: dict[_Segments, Json], above: _Segments, below: str | int | Key, place: Path) -> Json:
    """Copy what stands at `above` and put the copy in its place; if nothing is there, create the parent of `below`."""
    parent = own.get(above[:-1])
    if parent is None:
        parent = _owned(own, above[:-1], above[-1], place)
    segment = above[-1]
    if isinstance(parent, dict) and not isinstance(segment, int):
        name = segment.name if isinstance(segment, Key) else segment
        found = parent.get(name)
    else:
        found = child_at(parent, segment, None, place, replace=False)
    if found is None:
        found = [] if isinstance(below, int) else {}
    elif isinstance(found, dict | list):
        found = found.copy()
    own[above] = child_at(parent, segment, found, place, replace=True)
    return found


def json_of(value: Value) -> Json:
    """An assigned value as JSON; the answer is a copy."""
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
    """Set the value at `place` of `root`. This changes `root`."""
    if not place.segments:
        raise LookupError("the root of a document cannot be assigned")
    node: Json = root
    last = len(place.segments) - 1
    for depth, segment in enumerate(place.segments):
        fresh: Json = value
        if depth < last:
            fresh = [] if isinstance(place.segments[depth + 1], int) else {}
        node = child_at(node, segment, fresh, place, replace=depth == last)


def child_at(node: Json, segment: str | int | Key, fresh: Json, place: Path, *, replace: bool) -> Json:
    """The child of `node` at `segment`; it is set to `fresh` first if it is absent or null, or if `replace` is set."""
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
