"""The value that a document must have after some changes. The edited text is read again and compared with this value.

Specification: `podward.documents.patching`, in the order of the changes, and these rules for what it leaves open:
- A change to None removes the field or the list's item; removing what is absent changes nothing. An object or a list
  from which everything was removed stays, empty.
- A list's index means the item that stood there when the document was read, whatever was removed since. A change inside
  a removed item has no effect.
- Two findings may append to the same list and so name the same index: both items are appended, or one of them if they
  are equal. A change at an index beyond the end is made after the changes that fill the list up to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.patching import json_of
from podward.path import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.explanation import Change
    from podward.api.json_value import Json, JsonObject
    from podward.path import Path


class EditedList(list["Json"]):
    """A list of the document while it is changed: first the `written` items that the document has, then new ones."""

    __slots__ = ("written",)

    def __init__(self, items: Iterable[Json] = ()) -> None:
        super().__init__(items)
        self.written = len(self)


class _Removed(str):
    """The type of `REMOVED`. It is a string only so that the type checker takes it for a JSON value."""

    __slots__ = ()


REMOVED = _Removed("removed")
"""Stands in an `EditedList` in the place of an item that was removed."""


def changed(raw: JsonObject, changes: Iterable[Change]) -> JsonObject:
    """A copy of `raw` with the changes made. Raises LookupError or TypeError if a change does not fit the document."""
    target = changed_with_removals(raw, changes)
    return {name: without_removed(value) for name, value in target.items()}


def changed_with_removals(raw: JsonObject, changes: Iterable[Change]) -> JsonObject:
    """As `changed`, but each list is an `EditedList`, in which `REMOVED` keeps the place of a removed item."""
    target = {name: _with_edited_lists(value) for name, value in raw.items()}
    waiting = list(changes)
    while waiting:
        early = [change for change in waiting if not _apply(target, change)]
        if len(early) == len(waiting):
            raise LookupError(f"{early[0].path}: the list has no item before this one")
        waiting = early
    return target


def without_removed(value: Json) -> Json:
    """A copy without removed items; lists are plain lists."""
    if isinstance(value, dict):
        return {name: without_removed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [without_removed(item) for item in value if item is not REMOVED]
    return value


def drop_removed(value: Json) -> Json:
    """A copy without removed items; an `EditedList` stays an `EditedList`."""
    if isinstance(value, dict):
        return {name: drop_removed(item) for name, item in value.items()}
    if isinstance(value, list):
        return type(value)(drop_removed(item) for item in value if item is not REMOVED)
    return value


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal as JSON, removed items left aside. Unlike in Python, true is not equal to 1."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        for name, value in one.items():  # noqa: SIM110  # whole files are compared: a generator takes twice as long
            if not same(value, other[name]):
                return False
        return True
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = ([item for item in items if item is not REMOVED] for items in (one, other))
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _with_edited_lists(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _with_edited_lists(item) for name, item in value.items()}
    if isinstance(value, list):
        return EditedList(_with_edited_lists(item) for item in value)
    return value


def _apply(root: JsonObject, change: Change) -> bool:
    """Make the change in `root`. Returns False if items before its own must be added first."""
    place = change.path
    if not place.segments:
        raise LookupError("the root of a document cannot be changed")
    if change.value is None:
        _remove(root, place)
        return True
    node: Json = root
    for here, following in zip(place.segments, place.segments[1:], strict=False):
        if isinstance(node, list) and isinstance(here, int) and here > len(node):
            return False
        node = _get_or_create(node, here, EditedList() if isinstance(following, int) else {}, place)
        if node is REMOVED:
            return True
    return _put(node, place.segments[-1], json_of(change.value), place)


def _get_or_create(node: Json, segment: str | int | Key, fresh: Json, place: Path) -> Json:
    """The value at `segment`; if it is absent or null, it is set to `fresh` first."""
    if isinstance(node, list) and isinstance(segment, int):
        if segment == len(node):
            node.append(fresh)
        elif node[segment] is None:
            node[segment] = fresh
        return node[segment]
    if isinstance(node, dict) and not isinstance(segment, int):
        name = _name(segment)
        if node.get(name) is None:
            node[name] = fresh
        return node[name]
    raise TypeError(f"{place}: {segment!r} leads into {type(node).__name__}")


def _put(node: Json, segment: str | int | Key, value: Json, place: Path) -> bool:
    if isinstance(node, dict) and not isinstance(segment, int):
        node[_name(segment)] = value
        return True
    if not isinstance(node, list) or not isinstance(segment, int):
        raise TypeError(f"{place}: {segment!r} leads into {type(node).__name__}")
    if segment > len(node):
        return False
    appended = isinstance(node, EditedList) and segment >= node.written
    if segment == len(node) or (appended and not any(same(value, item) for item in node[segment:])):
        node.append(value)
    elif not appended and node[segment] is not REMOVED:
        node[segment] = value
    return True


def _remove(root: JsonObject, place: Path) -> None:
    node: Json = root
    for segment in place.segments[:-1]:
        if isinstance(node, dict) and not isinstance(segment, int):
            node = node.get(_name(segment))
        elif isinstance(node, list) and isinstance(segment, int) and segment < len(node):
            node = node[segment]
        else:
            return
    last = place.segments[-1]
    if isinstance(node, dict) and not isinstance(last, int):
        node.pop(_name(last), None)
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        if isinstance(node, EditedList):
            node[last] = REMOVED
        else:
            del node[last]


def _name(segment: str | Key) -> str:
    return segment.name if isinstance(segment, Key) else segment
