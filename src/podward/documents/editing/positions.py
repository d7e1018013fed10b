"""Where things stand in a manifest's text: around a node, from where to where, and where a new field is put."""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.documents.editing.nodes import Entry, List, Map, UneditableError
from podward.documents.editing.style import FlowStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.source_text import SourceText


class Position(Struct, frozen=True):
    """What writing a node needs to know about the text around it.

    `name` is the name of the node's field, empty for an item of a list. `head` is the place after the `:` or the dash
    before the node; it is None at the root and after a key that is written with `?`. `column` is the column of that key
    or dash, -1 at the root. `dash` is how many columns the lists around the node are indented below their key. `flow`
    is the style of the braces or brackets around the node, None outside of them.
    """

    name: str
    column: int
    head: int | None
    dash: int
    flow: FlowStyle | None = None

    def field(self, source: SourceText, node: Map, entry: Entry) -> Position:
        """The position of a field's value in an object without braces."""
        try:
            head: int | None = source.colon(entry.key) + 1
        except UneditableError:
            head = None
        column = source.column(node.body)
        dash = self.dash
        if isinstance(entry.value, List) and not entry.value.flow and head is not None:
            dash = source.column(entry.value.body) - column
        return Position(entry.name, column, head, dash)

    def item(self, source: SourceText, dash: int) -> Position:
        """The position of an item of a list with dashes."""
        return Position("", source.column(dash), dash + 1, self.dash)

    def within(self, flow: FlowStyle) -> Position:
        """The position of a value in braces or brackets."""
        return Position("", -1, None, self.dash, flow)


def needed(head: int | None) -> int:
    """`head`, the place after a `:` or a dash. Raises UneditableError if it is None: nothing can be written there."""
    if head is None:
        raise UneditableError("a key is written with `?`")
    return head


# --- where fields and items begin and end -----------------------------------------------------------------------------


class Extent(Struct, frozen=True):
    """Where a field or an item begins (its key or dash) and where its content ends; `name` is what comments call it."""

    start: int
    end: int
    name: str


def fields(source: SourceText, node: Map) -> list[Extent]:
    """Where the fields of an object stand."""
    return [
        Extent(entry.key.start, max(source.content_end(entry.value), source.colon(entry.key) + 1), entry.name)
        for entry in node.entries
    ]


def items(source: SourceText, node: List, dashes: Sequence[int]) -> list[Extent]:
    """Where the items of a list stand."""
    return [
        Extent(dash, max(source.content_end(item), dash + 1), _name_of(item.value))
        for dash, item in zip(dashes, node.items, strict=True)
    ]


def past_inner_comments(source: SourceText, end: int, column: int) -> int:
    """The end of the comment lines that follow from `end` on and are indented deeper than the column."""
    at = end
    while at < len(source.text):
        line = source.text[at : source.line_end(at)]
        if line.strip():
            if line.lstrip()[0] != "#" or line.find("#") <= column:
                break
            end = source.next_line(at)
        at = source.next_line(at)
    return end


def _name_of(value: Json) -> str:
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


# --- where a new field is put -----------------------------------------------------------------------------------------

_HEAD = frozenset(("name", "image", "imagePullPolicy"))
_CONTAINERS = frozenset(("containers", "initContainers"))
_ENOUGH = 3  # keys: fewer are in order by chance


def insertion_points(names: Sequence[str], new: JsonObject) -> dict[int, JsonObject]:
    """Where to put the fields `new` among the existing fields `names`, as a reader would look for them there.

    The answer has, for an index of `names`, the new fields to insert before it. These rules apply:
    - An object with three or more keys in alphabetical order stays in order: kubectl's exports and Kustomize write so.
    - In a container, a field that is no list goes after `name`, `image` and `imagePullPolicy`.
    - In a Pod's spec, a field that is no list goes before the containers, unless the containers come first.
    - Every other field goes to the end. No field goes above a `<<`.
    """
    least = max((index for index, name in enumerate(names) if name == "<<"), default=-1) + 1
    places: dict[int, JsonObject] = {}
    for name in sorted(new) if _is_sorted(names) else new:
        places.setdefault(max(_index(names, name, new[name]), least), {})[name] = new[name]
    return places


def _is_sorted(names: Sequence[str]) -> bool:
    by_chance = list(names[:2]) == ["apiVersion", "kind"]  # as everybody writes them
    return len(names) >= _ENOUGH and not by_chance and list(names) == sorted(names)


def _index(names: Sequence[str], name: str, value: Json) -> int:
    if _is_sorted(names):
        return bisect(names, name)
    if not isinstance(value, list):
        if "image" in names:
            return max(index for index, other in enumerate(names) if other in _HEAD) + 1
        first = min((index for index, other in enumerate(names) if other in _CONTAINERS), default=0)
        if first:
            return first
    return len(names)
