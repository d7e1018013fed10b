"""The syntax tree of an expression, with its macros written out.

Specification: cel-spec, proto/cel/expr/syntax.proto: the library behind this reads an expression, and hands its tree
over as a message. What cannot be read is told in the words of ANTLR's CEL grammar, which cel-go has too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct

from podward.schema.protobuf import fields_of_message

_CODE = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_OF_PYTHON = re.compile(r"\nERROR: <input>:4294967295:0:[^\n]*")
"""What the library adds about a tree that it has not got."""


class Node(Struct):
    """One expression. `kind` says which of the other fields it has.

    - `literal`: `value`, of the CEL type `name`
    - `ident`: `name`
    - `select`: `target`, the field `name`; `test` where `has` asks for it
    - `call`: the function `name`, its `target` where it is a method, `args`
    - `list`: `args`, of which those in `optional` are optional
    - `map` and `struct`: `args` are keys and values in turn; a struct is of type `name`
    - `fold`: a comprehension over `args[0]` with `name` and `second` for its items, from `args[1]` on in `accumulator`,
      while `args[2]`, with `args[3]`, of which `args[4]` is the result
    """

    id: int
    kind: str = "unknown"
    name: str = ""
    value: Any = None
    target: Node | None = None
    args: tuple[Node, ...] = ()
    optional: frozenset[int] = frozenset()
    test: bool = False
    second: str = ""
    accumulator: str = ""


class Tree(Struct):
    """A whole expression: its text, and where in it each node stands."""

    text: str
    root: Node
    places: dict[int, int]


class Unreadable(Struct, frozen=True):
    """Why a text is no expression."""

    reason: str


@lru_cache(1)
def _reader() -> Any:  # noqa: ANN401 - the library's own
    from podward.schema.cel import engine  # most servers have no expressions

    return engine.reader()


def read(text: str) -> Tree | Unreadable:
    """The tree of an expression, or what is wrong with its syntax."""
    try:
        message = _reader().compile(text, disable_check=True).serialize()
    except Exception as error:  # noqa: BLE001 - the library has no exceptions of its own
        said = _CODE.sub("", str(error).strip())
        return Unreadable(_OF_PYTHON.sub("", said).strip())
    parsed = _first(message, 2)
    return Tree(text, _node(_first(parsed, 2)), dict(_places(_first(parsed, 3))))


def _places(info: bytes) -> Iterator[tuple[int, int]]:
    for number, _, entry in fields_of_message(info):
        if number == 4 and isinstance(entry, bytes):
            of = {at: value for at, _, value in fields_of_message(entry) if isinstance(value, int)}
            yield of.get(1, 0), of.get(2, 0)


def _first(message: bytes, wanted: int) -> bytes:
    found = (value for number, _, value in fields_of_message(message) if number == wanted)
    value = next(found, b"")
    return value if isinstance(value, bytes) else b""


def _text(value: int | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _bytes(value: int | bytes) -> bytes:
    return value if isinstance(value, bytes) else b""


def _node(message: bytes) -> Node:
    made = Node(0)
    for number, _, value in fields_of_message(message):
        if number == 2 and isinstance(value, int):
            made.id = value
        elif number in _READERS:
            _READERS[number](made, _bytes(value))
    return made


_CONSTANTS = {1: "null", 2: "bool", 3: "int", 4: "uint", 5: "double", 6: "string", 7: "bytes"}


def _constant(made: Node, message: bytes) -> None:
    made.kind, made.name = "literal", "null"
    for number, _, value in fields_of_message(message):
        made.name = _CONSTANTS.get(number, "null")
        if made.name == "string":
            made.value = _text(value)
        elif made.name == "double" and isinstance(value, int):
            made.value = struct.unpack("<d", value.to_bytes(8, "little"))[0]
        elif made.name == "bool":
            made.value = bool(value)
        elif made.name == "int" and isinstance(value, int):
            made.value = value - (1 << 64) if value >> 63 else value
        else:
            made.value = value


def _ident(made: Node, message: bytes) -> None:
    made.kind, made.name = "ident", _text(_first(message, 1))


def _select(made: Node, message: bytes) -> None:
    made.kind = "select"
    for number, _, value in fields_of_message(message):
        if number == 1:
            made.target = _node(_bytes(value))
        elif number == 2:
            made.name = _text(value)
        elif number == 3:
            made.test = bool(value)


def _call(made: Node, message: bytes) -> None:
    made.kind, args = "call", []
    for number, _, value in fields_of_message(message):
        if number == 1:
            made.target = _node(_bytes(value))
        elif number == 2:
            made.name = _text(value)
        elif number == 3:
            args.append(_node(_bytes(value)))
    made.args = tuple(args)


def _list(made: Node, message: bytes) -> None:
    made.kind, args, optional = "list", [], set[int]()
    for number, _, value in fields_of_message(message):
        if number == 1:
            args.append(_node(_bytes(value)))
        elif isinstance(value, bytes):
            optional.update(value)
        else:
            optional.add(value)
    made.args, made.optional = tuple(args), frozenset(optional)


def _entries(made: Node, message: bytes) -> None:
    args: list[Node] = []
    optional = set[int]()
    for number, _, value in fields_of_message(message):
        if number == 1:
            made.name = _text(value)
        elif number == 2:
            key, content, chosen = _entry(_bytes(value))
            if chosen:
                optional.add(len(args) + 1)
            args += [key, content]
    made.kind = "struct" if made.name else "map"
    made.args, made.optional = tuple(args), frozenset(optional)


def _entry(message: bytes) -> tuple[Node, Node, bool]:
    key, content, optional, number_of_entry = Node(0), Node(0), False, 0
    for number, _, value in fields_of_message(message):
        if number == 1 and isinstance(value, int):
            number_of_entry = value
        elif number == 2:
            key = Node(number_of_entry, "literal", "string", _text(value))
        elif number == 3:
            key = _node(_bytes(value))
        elif number == 4:
            content = _node(_bytes(value))
        elif number == 5:
            optional = bool(value)
    return key, content, optional


def _fold(made: Node, message: bytes) -> None:
    made.kind = "fold"
    args = [Node(0)] * 5
    for number, _, value in fields_of_message(message):
        if number == 1:
            made.name = _text(value)
        elif number == 3:
            made.accumulator = _text(value)
        elif number == 8:
            made.second = _text(value)
        else:
            args[{2: 0, 4: 1, 5: 2, 6: 3, 7: 4}[number]] = _node(_bytes(value))
    made.args = tuple(args)


_READERS = {3: _constant, 4: _ident, 5: _select, 6: _call, 7: _list, 8: _entries, 9: _fold}
