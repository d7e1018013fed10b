"""From YAML's events to the tree of what is written where.

The meaning of scalars and of `<<` is the composer's (`documents.yaml.composer`), which has read the same text before:
what it refuses does not come here, and the edited text is read by it again.
"""

from __future__ import annotations

from re import MULTILINE
from re import compile as pattern
from typing import TYPE_CHECKING

from podward.documents.editing.nodes import Alias, Entry, List, Map, Node, Scalar, Uneditable
from podward.documents.yaml import scalars
from podward.documents.yaml.libyaml import (
    AliasEvent,
    CParser,
    Event,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.page import Page

SEPARATOR = "---"
"""What a line between documents begins with."""
_SEPARATORS = pattern(f"^{SEPARATOR}", MULTILINE)


def yaml_nodes(page: Page, end: int, wanted: Mapping[int, int]) -> dict[int, Map]:
    """The documents up to `end` that stand in the `wanted` parts between separators, by their indexes there.

    Raises Uneditable, libyaml's YAMLError or ScalarError if the text cannot be read.
    """
    found: dict[int, Map] = {}
    start = 0
    for part, separator in enumerate((*(line.start() for line in _SEPARATORS.finditer(page.text, 0, end)), end)):
        if part in wanted:
            composer = _Composer(page, page.text[start:separator], start)
            event = composer.root()
            if isinstance(event, MappingStartEvent):
                found[wanted[part]] = composer.composed(event)
        start = min(page.line_end(separator), end)
    return found


class _Composer:
    """The state of reading one document."""

    __slots__ = ("_anchors", "_base", "_next", "_page")

    def __init__(self, page: Page, part: str, base: int) -> None:
        self._page = page
        self._base = base
        self._next = CParser(part).get_event
        self._anchors: dict[str, Json] = {}

    def root(self) -> Event | None:
        """What the document begins with; None if it is empty."""
        while True:
            event = self._next()
            if isinstance(event, ScalarEvent | MappingStartEvent | SequenceStartEvent):
                return event
            if event is None or isinstance(event, StreamEndEvent):
                return None

    def composed(self, root: MappingStartEvent) -> Map:
        """The object that begins with this event."""
        node = self._map(root, self._marks(root)[0])
        node.anchor = root.anchor or ""
        return node

    def _node(self, event: Event | None) -> Node:
        start, end = self._marks(event)
        if isinstance(event, AliasEvent):
            return Alias(start, end, self._anchors.get(event.anchor or ""), event.anchor or "")
        node: Scalar | Map | List
        if isinstance(event, MappingStartEvent):
            node = self._map(event, start)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(event, start)
        elif isinstance(event, ScalarEvent):
            node = self._scalar(event, start, end)
        else:
            raise Uneditable("its parts could not be told apart")
        if event.anchor is not None:
            node.anchor = event.anchor
            self._anchors[event.anchor] = node.value
        return node

    def _scalar(self, event: ScalarEvent, start: int, end: int) -> Scalar:
        text: str = event.value
        if event.tag is not None:
            value = scalars.tagged(event.tag, text)
        else:
            value = scalars.plain(text) if event.implicit[0] else text
        node = Scalar(start, end, value, event.style or "")
        if event.anchor is not None or event.tag is not None:
            node.body = min(self._past_properties(start), end)
        return node

    def _list(self, event: SequenceStartEvent, start: int) -> List:
        node = List(start, flow=bool(event.flow_style))
        node.body = self._past_properties(start)
        while True:
            inner = self._next()
            if not isinstance(inner, ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent):
                node.end = self._marks(inner)[1]
                return node
            item = self._node(inner)
            node.items.append(item)
            node.value.append(item.value)

    def _map(self, event: MappingStartEvent, start: int) -> Map:
        node = Map(start, flow=bool(event.flow_style))
        while True:
            inner = self._next()
            if not isinstance(inner, ScalarEvent | AliasEvent):
                node.end = self._marks(inner)[1]
                break
            key = self._node(inner)
            if not isinstance(key, Scalar | Alias):
                raise Uneditable("a key is an object")
            merge = _merges(inner)
            entry = Entry(key, "<<" if merge else _key_name(key, inner), self._node(self._next()), merge=merge)
            node.entries.append(entry)
            node.value.update(merged(entry.value) if merge else {entry.name: entry.value.value})
        node.body = self._past_properties(start) if node.flow or not node.entries else node.entries[0].key.start
        return node

    def _marks(self, event: Event | None) -> tuple[int, int]:
        if event is None or event.start_mark is None or event.end_mark is None:  # cannot be: libyaml marks every event
            raise Uneditable("its parts have no place")
        return self._base + event.start_mark.index, self._base + event.end_mark.index

    def _past_properties(self, at: int) -> int:
        text = self._page.text
        while text[at : at + 1] in {"&", "!"}:
            while text[at : at + 1] not in {"", " ", "\t", "\r", "\n", ",", "]", "}"}:
                at += 1
            at = self._page.past_space(at)
        return at


def merged(node: Node) -> JsonObject:
    """The fields that a `<<` with this value takes over."""
    return merged_value(node.value)


def merged_value(value: Json) -> JsonObject:
    """As `merged`, of the value's meaning: of a list, the earlier wins."""
    if isinstance(value, dict):
        return value
    fields: JsonObject = {}
    for item in reversed(value) if isinstance(value, list) else ():
        if isinstance(item, dict):
            fields.update(item)
    return fields


def _merges(event: ScalarEvent | AliasEvent) -> bool:
    if not isinstance(event, ScalarEvent):
        return False
    return event.value == "<<" and (bool(event.implicit[0]) or (event.tag or "").endswith(":merge"))


def _key_name(key: Scalar | Alias, event: ScalarEvent | AliasEvent) -> str:
    value = key.value
    if isinstance(value, dict | list):
        raise Uneditable("a key is an object")
    return scalars.key(value, event.value if isinstance(event, ScalarEvent) else str(value))
