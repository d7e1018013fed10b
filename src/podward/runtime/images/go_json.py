"""JSON as Go's encoding/json reads it into a struct: what containerd, CRI-O and Docker make of an image's documents.

Specification (Go 1.24 encoding/json `decode.go` and `fold.go`), in our words:
- A member belongs to the field of its very name, else to the one of the same name in another case. Two characters that
  are not ASCII have an ASCII letter in another case: U+017F (s) and U+212A (k).
- Members are read in order. A text or a list replaces what an earlier member gave; the members of an object, or the
  keys of a map, are added to what the earlier one gave.
- null makes a list or a map empty, and leaves anything else as it was.

A list of objects that stands twice is refused: Go mixes the items of both.
"""

from __future__ import annotations

import json
import types
from typing import TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

T = TypeVar("T", bound=Struct)

_OTHER_CASES = {0x017F: "s", 0x212A: "k"}


class _Members(list[tuple[str, object]]):
    """The members of an object in their order; names may repeat."""


def decode(content: bytes, kind: type[T]) -> T:
    """Decode a document into this type. Raises ValueError, RecursionError or msgspec.MsgspecError if it is not one."""
    msgspec.json.decode(content)  # strict about syntax and UTF-8, as json.loads is not
    document = json.loads(content, object_pairs_hook=_Members)
    if not isinstance(document, _Members):
        raise msgspec.ValidationError(f"Expected `object`, got `{type(document).__name__}`")
    return msgspec.convert(_struct(document, kind, {}), kind)


def _struct(members: _Members, kind: type[Struct], before: dict[str, object]) -> dict[str, object]:
    """The fields that these members set, beside those set `before`."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    by_folded = {_folded(name): name for name in fields}
    found = dict(before)
    for written, value in members:
        name = written if written in fields else by_folded.get(_folded(written), "")
        if not name:
            continue
        taken = _value(value, fields[name], found.get(name), name)
        if taken is not None:
            found[name] = taken
    return found


def _value(value: object, kind: object, before: object, name: str) -> object:
    """What a field of this kind has after this value; None leaves it unset."""
    kind = _without_none(kind)
    if value is None:
        return () if get_origin(kind) is tuple else {} if get_origin(kind) is dict else before
    if isinstance(kind, type) and issubclass(kind, Struct) and isinstance(value, _Members):
        return _struct(value, kind, before if isinstance(before, dict) else {})
    if get_origin(kind) is tuple and isinstance(value, list) and not isinstance(value, _Members):
        item = get_args(kind)[0]
        if before and isinstance(item, type) and issubclass(item, Struct):
            raise msgspec.ValidationError(f"`{name}` stands twice")
        return tuple(_value(each, item, None, name) for each in value)
    if get_origin(kind) is dict and isinstance(value, _Members):
        return {**(before if isinstance(before, dict) else {}), **{key: _plain(each) for key, each in value}}
    return msgspec.convert(_plain(value), kind)  # each member must fit, also one that a later member replaces


def _without_none(kind: object) -> object:
    """The kind of an optional field."""
    if get_origin(kind) in (Union, types.UnionType):
        return next(each for each in get_args(kind) if each is not type(None))
    return kind


def _plain(value: object) -> object:
    if isinstance(value, _Members):
        return {key: _plain(each) for key, each in value}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _folded(name: str) -> str:
    return name.translate(_OTHER_CASES).lower()
