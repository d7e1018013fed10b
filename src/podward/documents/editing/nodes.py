"""A document's text as a tree: each node has its value, and the offsets at which it begins and ends in the text.

Offsets count characters of the whole file's text, its byte order mark aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from podward.api.json_value import Json


class Scalar:
    """A scalar. A null that is not written at all has `start` equal to `end`.

    `body` is where the scalar begins behind its anchor and tag. `style` is `"`, `'`, `|` or `>`, empty for a plain one.
    """

    __slots__ = ("anchor", "body", "end", "start", "style", "value")

    def __init__(self, start: int, end: int, value: Json, style: str) -> None:
        self.start = self.body = start
        self.end = end
        self.value = value
        self.style = style
        self.anchor = ""


class Alias:
    """An alias, `*name`."""

    __slots__ = ("end", "name", "start", "value")

    def __init__(self, start: int, end: int, value: Json, name: str) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.name = name


class Entry:
    """A field of an object. If `merge` is set, the field is a `<<`, which takes over the fields of its value."""

    __slots__ = ("key", "merge", "name", "value")

    def __init__(self, key: Scalar | Alias, name: str, value: Node, *, merge: bool) -> None:
        self.key = key
        self.name = name
        self.value = value
        self.merge = merge


class Map:
    """An object. `body` is its first key or its brace; `end` is exact only in `flow` style, that is in braces."""

    __slots__ = ("anchor", "body", "end", "entries", "flow", "start", "value")

    def __init__(self, start: int, *, flow: bool) -> None:
        self.start = self.body = self.end = start
        self.flow = flow
        self.anchor = ""
        self.entries: list[Entry] = []
        self.value: dict[str, Json] = {}


class List:
    """A list. `body` is its first dash or its bracket; `end` is exact only in `flow` style, that is in brackets."""

    __slots__ = ("anchor", "body", "end", "flow", "items", "start", "value")

    def __init__(self, start: int, *, flow: bool) -> None:
        self.start = self.body = self.end = start
        self.flow = flow
        self.anchor = ""
        self.items: list[Node] = []
        self.value: list[Json] = []


Node: TypeAlias = "Scalar | Alias | Map | List"
"""Any part of a document."""


class UneditableError(Exception):
    """The text cannot be changed as wanted. The message says why, in one clause; `edited` makes an InputError of it."""
