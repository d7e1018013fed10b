"""Protobuf as Kubernetes' clients send it, read as JSON.

Specification: k8s.io/apimachinery runtime/serializer/protobuf: four bytes, then a runtime.Unknown with the kind and the
object's own message in it. Field numbers are those of `protobuf_fields`; a field that the message has not is passed
over, as Go passes it. Fields that are no pointers are sent even if they are empty: `canonical` leaves them out. An
empty Time is none. A list or map in a list or map is a message of its own, its items being field 1; an entry of a map
has its key as field 1 and its value as field 2.
"""

from __future__ import annotations

import json
import struct
from binascii import b2a_base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.schema import kinds  # noqa: F401 - the types of all kinds
from podward.schema.protobuf_fields import NUMBERS
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

PREFIX = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _START, _END, _FIXED32 = range(6)
_LONGEST_VARINT = 10
_DEEPEST = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRUNCATED = "unexpected EOF"


class ProtobufError(ValueError):
    """The bytes are no such message; the text is the server's."""


class Envelope(Struct, frozen=True):
    """What stands around an object: its version and kind, as far as the client said them, and the message."""

    api_version: str
    kind: str
    message: bytes


def opened(body: bytes) -> Envelope:
    """What a body holds. Raises ProtobufError."""
    if not body:
        raise ProtobufError("empty data")
    if not body.startswith(PREFIX):
        expected = " ".join(str(byte) for byte in PREFIX)
        raise ProtobufError(f"provided data does not appear to be a protobuf message, expected prefix [{expected}]")
    if body == PREFIX:
        raise ProtobufError("empty body")
    api_version = kind = ""
    message = b""
    for number, wire, value in fields_of_message(body[len(PREFIX) :]):
        if number == 1 and wire == _BYTES:
            for inner, inner_wire, text in fields_of_message(_as_bytes(value)):
                if inner_wire == _BYTES and inner == 1:
                    api_version = _text(text)
                elif inner_wire == _BYTES and inner == 2:
                    kind = _text(text)
        elif number == 2 and wire == _BYTES:
            message = _as_bytes(value)
    return Envelope(api_version, kind, message)


def read_message(message: bytes, of: str, depth: int = 0) -> JsonObject:
    """The object of this type in `TYPES` that a message holds. Raises ProtobufError."""
    return {name: item for name, item in _read(message, of, of, depth).items() if item is not None}


def _read(message: bytes, of: str, part: str, depth: int) -> JsonObject:
    """The fields of a message; `part` names a struct that is inlined in the type `of`, which has its codes."""
    if depth > _DEEPEST:
        raise ProtobufError("proto: message nested too deeply")
    made: JsonObject = {}
    layout = _layout(of, part)
    for number, wire, value in fields_of_message(message):
        name, code = layout.get(number, ("", ""))
        if not code:
            continue
        if not name:
            made.update(_read(_as_bytes(value), of, code, depth + 1))
        elif code[0] == "[":
            items = made.setdefault(name, [])
            if isinstance(items, list):
                items += _items(value, code[1:], wire, depth + 1)
        elif code[0] == "{":
            entries = made.setdefault(name, {})
            if isinstance(entries, dict):
                entries.update([_entry(_as_bytes(value), code[1:], depth + 1)])
        else:
            made[name] = _value(value, code, depth + 1)
    return made


@cache
def _layout(of: str, part: str) -> dict[int, tuple[str, str]]:
    """The fields of a message by their numbers, with their codes; a struct that is inlined has no name but its own."""
    found: dict[int, tuple[str, str]] = {}
    for numbered in NUMBERS[part].split():
        name, _, number = numbered.partition("=")
        found[int(number)] = ("", name[1:]) if name.startswith("*") else (name, TYPES[of][name])
    return found


def _items(value: int | bytes, code: str, wire: int, depth: int) -> list[Json]:
    """What one occurrence adds to a list: several numbers where they are packed."""
    if wire == _BYTES and code in {"i", "l", "b"}:
        packed, at, found = _as_bytes(value), 0, []
        while at < len(packed):
            number, at = _varint(packed, at)
            found.append(_value(number, code, depth))
        return list(found)
    return [_value(value, code, depth)]


def _entry(message: bytes, code: str, depth: int) -> tuple[str, Json]:
    key, found = "", None
    for number, _, value in fields_of_message(message):
        if number == 1:
            key = _text(value)
        elif number == 2:
            found = _value(value, code, depth)
    return key, _value(0 if code in {"i", "l", "b", "n"} else b"", code, depth) if found is None else found


def _value(value: int | bytes, code: str, depth: int) -> Json:  # noqa: C901, PLR0911, PLR0912 - one line for each code
    match code:
        case "s":
            return _text(value)
        case "b":
            return bool(_as_number(value))
        case "i":
            return _signed(_as_number(value), 32)
        case "l":
            return _signed(_as_number(value), 64)
        case "n":
            return float(struct.unpack("<d", _as_number(value).to_bytes(8, "little"))[0])
        case "y":
            return b2a_base64(_as_bytes(value), newline=False).decode()
        case "q" | "o":
            return _quantity(_as_bytes(value)) if code == "q" else _int_or_string(_as_bytes(value))
        case "t" | "m":
            return _time(_as_bytes(value), code)
        case "r" | "JSON":
            return _raw(_as_bytes(value))
        case _ if code.startswith("JSONSchemaPropsOr"):
            return _union(_as_bytes(value), code, depth)
        case _ if code[0] == "[":
            found: list[Json] = []
            for number, wire, item in fields_of_message(_as_bytes(value)):
                found += _items(item, code[1:], wire, depth + 1) if number == 1 else []
            return found
        case _:
            return read_message(_as_bytes(value), code, depth + 1)


def _quantity(message: bytes) -> Json:
    return next((_text(value) for number, _, value in fields_of_message(message) if number == 1), "0") or "0"


def _int_or_string(message: bytes) -> Json:
    fields = {number: value for number, _, value in fields_of_message(message)}
    if fields.get(1):
        return _text(fields.get(3, b""))
    return _signed(_as_number(fields.get(2, 0)), 32)


def _time(message: bytes, code: str) -> Json:
    if not message:
        return None
    fields = {number: value for number, _, value in fields_of_message(message)}
    seconds, nanos = (_signed(_as_number(fields.get(number, 0)), 64) for number in (1, 2))
    try:
        moment = _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError:
        raise ProtobufError("time out of range") from None
    # strftime would write the year 1 as it is, without zeros before it
    return moment.isoformat(timespec="seconds" if code == "t" else "microseconds").replace("+00:00", "Z")


def _raw(message: bytes) -> Json:
    """JSON that stands in the message as it is."""
    text = next((_as_bytes(value) for number, _, value in fields_of_message(message) if number == 1), b"")
    try:
        found: Json = json.loads(text) if text else None
    except (ValueError, RecursionError):
        raise ProtobufError("invalid JSON in a message") from None
    return found


def _union(message: bytes, code: str, depth: int) -> Json:
    """A schema, or what else may stand in its place: true or false, schemas, names."""
    fields = list(fields_of_message(message))
    schema, others = (2, 1) if code.endswith("OrBool") else (1, 2)
    for number, _, value in fields:
        if number == schema:
            return read_message(_as_bytes(value), "JSONSchemaProps", depth + 1)
    if code.endswith("OrBool"):
        return any(bool(value) for number, _, value in fields if number == others)
    inner = "s" if code.endswith("StringArray") else "JSONSchemaProps"
    return [_value(value, inner, depth + 1) for number, _, value in fields if number == others]


def fields_of_message(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Each field's number, wire type and value."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if number <= 0:
            raise ProtobufError(f"proto: illegal tag {number} (wire type {wire})")
        value: int | bytes
        if wire == _VARINT:
            value, at = _varint(message, at)
        elif wire == _BYTES:
            length, at = _varint(message, at)
            if length > end - at:
                raise ProtobufError(_TRUNCATED)
            value, at = message[at : at + length], at + length
        elif wire in {_FIXED64, _FIXED32}:
            width = 8 if wire == _FIXED64 else 4
            if width > end - at:
                raise ProtobufError(_TRUNCATED)
            value, at = int.from_bytes(message[at : at + width], "little"), at + width
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        yield number, wire, value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at + place >= len(message):
            raise ProtobufError(_TRUNCATED)
        byte = message[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value & ((1 << 64) - 1), at + place + 1
    raise ProtobufError("proto: integer overflow")


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _as_bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ProtobufError("proto: wrong wireType = 0 for a field")
    return value


def _as_number(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ProtobufError("proto: wrong wireType = 2 for a field")
    return value


def _text(value: int | bytes) -> str:
    return _as_bytes(value).decode("utf-8", "replace")
