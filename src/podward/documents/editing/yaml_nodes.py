"""Reading YAML text into a tree of `nodes`, which know their place in the text.

`documents.yaml.composer` has read the same text before, so what it refuses does not come here, and it reads the edited
text again. Scalars and `<<` have the same meaning here as there.
"""

from __future__ import annotations

from re import MULTILINE
from re import compile as pattern
from typing import TYPE_CHECKING

from podward.documents.editing.nodes import Alias, Entry, List, Map, Node, Scalar, UneditableError
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
    from podward.documents.editing.source_text import SourceText

SEPARATOR = "---"
"""The text that begins a line between two documents."""
_SEPARATORS = pattern(f"^{SEPARATOR}", MULTILINE)


def yaml_nodes(source: SourceText, end: int, wanted: Mapping[int, int]) -> dict[int, Map]:
    """The trees of the documents in some parts of the file, up to the offset `end`.

    `wanted` has, for each part between separators that is to be read, the index under which the answer has its tree.

    Raises UneditableError, libyaml's YAMLError or ScalarError if the text cannot be read.
    """
    found: dict[int, Map] = {}
    start = 0
    for part, separator in enumerate((*(line.start() for line in _SEPARATORS.finditer(source.text, 0, end)), end)):
        if part in wanted:
            composer = _Composer(source, source.text[start:separator], start)
            event = composer.root()
            if isinstance(event, MappingStartEvent):
                found[wanted[part]] = composer.composed(event)
        start = min(source.line_end(separator), end)
    return found


class _Composer:
    """The state of reading one document."""

    __slots__ = ("_anchors", "_base", "_next", "_source")

    def __init__(self, source: SourceText, part: str, base: int) -> None:
        self._source = source
        self._base = base
        self._next = CParser(part).get_event
        self._anchors: dict[str, Json] = {}

    def root(self) -> Event | None:
        """The event that the document begins with; None if the document is empty."""
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
            raise UneditableError("its parts could not be told apart")
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
                raise UneditableError("a key is an object")
            merge = _merges(inner)
            entry = Entry(key, "<<" if merge else _key_name(key, inner), self._node(self._next()), merge=merge)
            node.entries.append(entry)
            node.value.update(merged(entry.value) if merge else {entry.name: entry.value.value})
        node.body = self._past_properties(start) if node.flow or not node.entries else node.entries[0].key.start
        return node

    def _marks(self, event: Event | None) -> tuple[int, int]:
        if event is None or event.start_mark is None or event.end_mark is None:  # cannot be: libyaml marks every event
            raise UneditableError("its parts have no place")
        return self._base + event.start_mark.index, self._base + event.end_mark.index

    def _past_properties(self, at: int) -> int:
        text = self._source.text
        while text[at : at + 1] in {"&", "!"}:
            while text[at : at + 1] not in {"", " ", "\t", "\r", "\n", ",", "]", "}"}:
                at += 1
            at = self._source.past_space(at)
        return at


def merged(node: Node) -> JsonObject:
    """The fields that a `<<` takes over from this node."""
    return merged_value(node.value)


def merged_value(value: Json) -> JsonObject:
    """The fields that a `<<` takes over from this value; in a list, an earlier object wins over a later one."""
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
        raise UneditableError("a key is an object")
    return scalars.key(value, event.value if isinstance(event, ScalarEvent) else str(value))
