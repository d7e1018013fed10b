"""What a document means after its edits: the law that the edited text is held to.

Specification: `podward.documents.patching`, in the order of the changes, and these rules where it says nothing:
- A change to None removes the field or the list's item; removing what is absent changes nothing. An object or a list
  from which everything was removed stays, empty.
- A list's index means the item that stood there when the document was read, whatever was removed since. A change inside
  a removed item is lost with it.
- Two findings that each append to a list as they saw it name the same index: both items are appended, one of them if
  they are equal. An index beyond the end waits for the items before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.patching import plain
from podward.path import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.explanation import Change
    from podward.api.json_value import Json, JsonObject
    from podward.path import Path


class Items(list["Json"]):
    """A list of the document, which edits go into: item by item the list as it was `written`, then what is new."""

    __slots__ = ("written",)

    def __init__(self, items: Iterable[Json] = ()) -> None:
        super().__init__(items)
        self.written = len(self)


class _Gone(str):
    """The mark of a removed item; a string only to be a JSON value for the type checker."""

    __slots__ = ()


GONE = _Gone("removed")
"""Stands in `Items` where an item was removed."""


def changed(raw: JsonObject, changes: Iterable[Change]) -> JsonObject:
    """A copy of `raw` with the changes made. Raises LookupError or TypeError where one does not fit its shape."""
    target = aimed(raw, changes)
    return {name: settled(value) for name, value in target.items()}


def aimed(raw: JsonObject, changes: Iterable[Change]) -> JsonObject:
    """As `changed`, with lists as `Items`, which still know where each item stood. Raises as `changed`."""
    target = {name: _tracked(value) for name, value in raw.items()}
    waiting = list(changes)
    while waiting:
        early = [change for change in waiting if not _made(target, change)]
        if len(early) == len(waiting):
            raise LookupError(f"{early[0].path}: the list has no item before this one")
        waiting = early
    return target


def settled(value: Json) -> Json:
    """A copy without the marks of removed items; lists are plain lists."""
    if isinstance(value, dict):
        return {name: settled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [settled(item) for item in value if item is not GONE]
    return value


def arrived(value: Json) -> Json:
    """A copy in which removed items are taken out of `Items`, which stay `Items`."""
    if isinstance(value, dict):
        return {name: arrived(item) for name, item in value.items()}
    if isinstance(value, list):
        return type(value)(arrived(item) for item in value if item is not GONE)
    return value


def same(one: Json, other: Json) -> bool:
    """Equal as JSON, removed items aside: other than in Python, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        ours, theirs = ([item for item in items if item is not GONE] for items in (one, other))
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _tracked(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _tracked(item) for name, item in value.items()}
    if isinstance(value, list):
        return Items(_tracked(item) for item in value)
    return value


def _made(root: JsonObject, change: Change) -> bool:
    """Make the change in `root`; False if it must wait for items before its own."""
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
        node = _entered(node, here, Items() if isinstance(following, int) else {}, place)
        if node is GONE:
            return True
    return _put(node, place.segments[-1], plain(change.value), place)


def _entered(node: Json, segment: str | int | Key, fresh: Json, place: Path) -> Json:
    """What stands at `segment`, which becomes `fresh` where it is absent or null."""
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
    appended = isinstance(node, Items) and segment >= node.written
    if segment == len(node) or (appended and not any(same(value, item) for item in node[segment:])):
        node.append(value)
    elif not appended and node[segment] is not GONE:
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
        if isinstance(node, Items):
            node[last] = GONE
        else:
            del node[last]


def _name(segment: str | Key) -> str:
    return segment.name if isinstance(segment, Key) else segment
