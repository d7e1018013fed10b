"""A document's text as a tree: what each part means, and from which character to which it is written.

Offsets count characters of the whole file's text, its byte order mark aside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from podward.api.json_value import Json


class Scalar:
    """A scalar, or nothing at all where a null is not written (`start` is `end`).

    `body` is where it begins after its anchor and tag; `style` is `"`, `'`, `|` or `>`, empty for a plain one.
    """

    __slots__ = ("anchor", "body", "end", "start", "style", "value")

    def __init__(self, start: int, end: int, value: Json, style: str) -> None:
        self.start = self.body = start
        self.end = end
        self.value = value
        self.style = style
        self.anchor = ""


class Alias:
    """`*name`."""

    __slots__ = ("end", "name", "start", "value")

    def __init__(self, start: int, end: int, value: Json, name: str) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.name = name


class Entry:
    """A field of an object; with `merge` a `<<`, whose value's fields it takes over."""

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


class Uneditable(Exception):  # noqa: N818  # a reason, which `edited` makes an InputError of
    """Why the text cannot be changed as wanted, in one clause."""
