"""The OpenAPI document of version 2 in Protobuf, which kubectl asks for before it says what it does not know.

Specification: google/gnostic-models, openapiv2/OpenAPIv2.proto: the numbers of the fields, and the messages that stand
around what JSON has plainly. A value of any type is its text in YAML; ours is JSON, which is YAML too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

import msgspec

from podward.api.json_value import Json, JsonObject

Write: TypeAlias = Callable[[int, Json], bytes]
"""A field with this number and value."""


def document_bytes(document: JsonObject) -> bytes:
    """The whole document."""
    return _message(document, _DOCUMENT)


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _block(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, value: Json) -> bytes:
    return _block(number, str(value).encode())


def _texts(number: int, value: Json) -> bytes:
    return b"".join(_text(number, each) for each in cast("list[Json]", value))


def _boolean(number: int, value: Json) -> bytes:
    return _varint(number << 3) + (b"\1" if value else b"\0")


def _whole(number: int, value: Json) -> bytes:
    return _varint(number << 3) + _varint(cast("int", value) & (1 << 64) - 1)


def _double(number: int, value: Json) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _any_content(value: Json) -> bytes:
    return _block(2, msgspec.json.encode(value))


def _any(number: int, value: Json) -> bytes:
    return _block(number, _any_content(value))


def _anys(number: int, value: Json) -> bytes:
    return b"".join(_any(number, each) for each in cast("list[Json]", value))


class _Table:
    """The fields of a message by their names in JSON; what begins with `x-` is an extension."""

    def __init__(self, extension: int = 0) -> None:
        self.fields: Mapping[str, tuple[int, Write]] = {}
        self._extension = extension

    def extension(self, name: str, value: Json) -> bytes:
        """A field that the table does not have."""
        if not self._extension or not name.startswith("x-"):
            return b""
        return _block(self._extension, _block(1, name.encode()) + _block(2, _any_content(value)))


def _message(value: Json, table: _Table) -> bytes:
    found = []
    for name, each in cast("JsonObject", value).items():
        field = table.fields.get(name)
        found.append(field[1](field[0], each) if field is not None else table.extension(name, each))
    return b"".join(found)


def _of(table: _Table) -> Write:
    return lambda number, value: _block(number, _message(value, table))


def _each(table: _Table) -> Write:
    return lambda number, value: b"".join(_block(number, _message(each, table)) for each in cast("list[Json]", value))


def _named(content: Callable[[Json], bytes], at: int = 1) -> Write:
    """A map: a message whose field `at` repeats names with values."""

    def write(number: int, value: Json) -> bytes:
        pairs = cast("JsonObject", value).items()
        rows = [_block(at, _block(1, name.encode()) + _block(2, content(each))) for name, each in pairs]
        return _block(number, b"".join(rows))

    return write


def _type(number: int, value: Json) -> bytes:
    return _block(number, _texts(1, value if isinstance(value, list) else [value]))


def _items(number: int, value: Json) -> bytes:
    return _block(number, _each(_SCHEMA)(1, value if isinstance(value, list) else [value]))


def _additional(number: int, value: Json) -> bytes:
    inner = _boolean(2, value) if isinstance(value, bool) else _block(1, _message(value, _SCHEMA))
    return _block(number, inner)


def _parameter(value: Json) -> bytes:
    of = cast("JsonObject", value)
    if of.get("in") == "body":
        return _block(1, _message(of, _BODY))
    place, table = _PLACES[str(of.get("in"))]
    return _block(2, _block(place, _message(of, table)))


def _parameters(number: int, value: Json) -> bytes:
    found = []
    for each in cast("list[JsonObject]", value):
        inner = _block(2, _text(1, each["$ref"])) if "$ref" in each else _block(1, _parameter(each))
        found.append(_block(number, inner))
    return b"".join(found)


def _response(value: Json) -> bytes:
    return _block(1, _message(value, _RESPONSE))


def _schema_of_response(number: int, value: Json) -> bytes:
    return _block(number, _block(1, _message(value, _SCHEMA)))


def _security(value: Json) -> bytes:
    return _block(2, _message(value, _API_KEY))


def _requirements(number: int, value: Json) -> bytes:
    map_of_texts = _named(lambda texts: _texts(1, texts))
    return b"".join(map_of_texts(number, each) for each in cast("list[Json]", value))


_DOCUMENT, _INFO, _PATH, _OPERATION = _Table(16), _Table(7), _Table(10), _Table(13)
_BODY, _HEADER, _FORM, _QUERY, _PATH_PARAMETER = _Table(6), _Table(22), _Table(23), _Table(23), _Table(22)
_RESPONSE, _SCHEMA, _API_KEY, _DOCS, _PRIMITIVE = _Table(5), _Table(31), _Table(5), _Table(3), _Table(18)
_PLACES = {"header": (1, _HEADER), "formData": (2, _FORM), "query": (3, _QUERY), "path": (4, _PATH_PARAMETER)}

_BOUNDS: tuple[tuple[str, Write], ...] = (
    ("default", _any), ("maximum", _double), ("exclusiveMaximum", _boolean), ("minimum", _double),
    ("exclusiveMinimum", _boolean), ("maxLength", _whole), ("minLength", _whole), ("pattern", _text),
    ("maxItems", _whole), ("minItems", _whole), ("uniqueItems", _boolean), ("enum", _anys), ("multipleOf", _double),
)  # fmt: skip
"""What is asked of a plain value, in the order of the numbers."""


def _numbered(first: int, *fields: tuple[str, Write]) -> dict[str, tuple[int, Write]]:
    return {name: (number, write) for number, (name, write) in enumerate(fields, first)}


_VALUE = (("type", _text), ("format", _text), ("items", _of(_PRIMITIVE)), ("collectionFormat", _text), *_BOUNDS)
_PLAIN = (("required", _boolean), ("in", _text), ("description", _text), ("name", _text))
_PRIMITIVE.fields = _numbered(1, *_VALUE)
_HEADER.fields = _PATH_PARAMETER.fields = _numbered(1, *_PLAIN, *_VALUE)
_FORM.fields = _QUERY.fields = _numbered(1, *_PLAIN, ("allowEmptyValue", _boolean), *_VALUE)
_BODY.fields = _numbered(
    1, ("description", _text), ("name", _text), ("in", _text), ("required", _boolean), ("schema", _of(_SCHEMA))
)
_DOCS.fields = _numbered(1, ("description", _text), ("url", _text))
_API_KEY.fields = _numbered(1, ("type", _text), ("name", _text), ("in", _text), ("description", _text))
_RESPONSE.fields = _numbered(1, ("description", _text), ("schema", _schema_of_response))
_SCHEMA.fields = _numbered(
    1, ("$ref", _text), ("format", _text), ("title", _text), ("description", _text), ("default", _any),
    ("multipleOf", _double), ("maximum", _double), ("exclusiveMaximum", _boolean), ("minimum", _double),
    ("exclusiveMinimum", _boolean), ("maxLength", _whole), ("minLength", _whole), ("pattern", _text),
    ("maxItems", _whole), ("minItems", _whole), ("uniqueItems", _boolean), ("maxProperties", _whole),
    ("minProperties", _whole), ("required", _texts), ("enum", _anys), ("additionalProperties", _additional),
    ("type", _type), ("items", _items), ("allOf", _each(_SCHEMA)),
    ("properties", _named(lambda value: _message(value, _SCHEMA))), ("discriminator", _text), ("readOnly", _boolean),
    ("xml", lambda _number, _value: b""), ("externalDocs", _of(_DOCS)), ("example", _any),
)  # fmt: skip
_OPERATION.fields = _numbered(
    1, ("tags", _texts), ("summary", _text), ("description", _text), ("externalDocs", _of(_DOCS)),
    ("operationId", _text), ("produces", _texts), ("consumes", _texts), ("parameters", _parameters),
    ("responses", _named(_response)), ("schemes", _texts), ("deprecated", _boolean), ("security", _requirements),
)  # fmt: skip
_VERBS = tuple((verb, _of(_OPERATION)) for verb in ("get", "put", "post", "delete", "options", "head", "patch"))
_PATH.fields = _numbered(1, ("$ref", _text), *_VERBS, ("parameters", _parameters))
_INFO.fields = _numbered(1, ("title", _text), ("version", _text), ("description", _text), ("termsOfService", _text))
_DOCUMENT.fields = {
    **_numbered(
        1, ("swagger", _text), ("info", _of(_INFO)), ("host", _text), ("basePath", _text), ("schemes", _texts),
        ("consumes", _texts), ("produces", _texts), ("paths", _named(lambda value: _message(value, _PATH), at=2)),
        ("definitions", _named(lambda value: _message(value, _SCHEMA))),
    ),
    **_numbered(12, ("security", _requirements), ("securityDefinitions", _named(_security))),
}  # fmt: skip
