"""Reading JSON text into a tree of `nodes`, which know their place in the text.

The text has been read by `podward.documents.json.exact`, so it is valid JSON without duplicate keys, or it is YAML.
"""

from __future__ import annotations

from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # public, but typeshed lacks it
from re import compile as pattern
from typing import TYPE_CHECKING, NoReturn

from podward.documents.editing.nodes import Entry, List, Map, Node, Scalar

if TYPE_CHECKING:
    from podward.api.json_value import Json

_SPACE = pattern(r"[ \t\n\r]*")
_NUMBER = pattern(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: tuple[tuple[str, Json], ...] = (("true", True), ("false", False), ("null", None))


def json_nodes(text: str) -> list[Map] | None:
    """The objects that follow each other in `text`; None if the text is not JSON."""
    reader = _Reader(text)
    found: list[Map] = []
    try:
        while not reader.at_end():
            node = reader.node()
            if not isinstance(node, Map):
                return None
            found.append(node)
    except JSONDecodeError:
        return None
    return found


class _Reader:
    """A reader of the text; `_at` is how far it has come."""

    __slots__ = ("_at", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at == len(self._text)

    def node(self) -> Node:
        start = self._peek()
        if start == "{":
            return self._map()
        if start == "[":
            return self._list()
        if start == '"':
            return self._string()
        for word, meaning in _WORDS:
            if self._text.startswith(word, self._at):
                return self._scalar(self._at + len(word), meaning)
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._fail()
        whole = found.group(1) is None and found.group(2) is None
        return self._scalar(found.end(), int(found.group()) if whole else float(found.group()))

    def _scalar(self, end: int, value: Json) -> Scalar:
        start, self._at = self._at, end
        return Scalar(start, end, value, "")

    def _string(self) -> Scalar:
        if self._peek() != '"':
            self._fail()
        start = self._at
        value: str
        value, self._at = scanstring(self._text, start + 1, True)
        if not value.isascii():
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return Scalar(start, self._at, value, '"')

    def _map(self) -> Map:
        node = Map(self._at, flow=True)
        self._at += 1
        while not (self._peek() == "}" and not node.entries):
            key = self._string()
            self._take(":")
            self.at_end()
            entry = Entry(key, str(key.value), self.node(), merge=False)
            node.entries.append(entry)
            node.value[entry.name] = entry.value.value
            if self._peek() == "}":
                break
            self._take(",")
        self._take("}")
        node.end = self._at
        return node

    def _list(self) -> List:
        node = List(self._at, flow=True)
        self._at += 1
        while not (self._peek() == "]" and not node.items):
            item = self.node()
            node.items.append(item)
            node.value.append(item.value)
            if self._peek() == "]":
                break
            self._take(",")
        self._take("]")
        node.end = self._at
        return node

    def _peek(self) -> str:
        self.at_end()
        return self._text[self._at : self._at + 1]

    def _take(self, char: str) -> None:
        if self._peek() != char:
            self._fail()
        self._at += 1

    def _fail(self) -> NoReturn:
        raise JSONDecodeError("no JSON", self._text, self._at)
