"""Objects as they are stored, and as they are served from what is stored.

An object is encoded once, when it is written: `kind` and `apiVersion` first, and a NUL byte in the place of its
version, which is the store's to give. JSON text holds no other NUL byte, so that serving an object, on its own or in a
list, is a replacement of that byte, never a second encoding. Characters are escaped as Go escapes them: controllers of
Kubernetes compare what a ControllerRevision holds byte by byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.documents.go_json import escaped
from podward.documents.raw_fields import member
from podward.store.interface import Stored

_HOLE = b"\0"
_VERSION = msgspec.Raw(b'"\0"')
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def beginning(resource: Resource) -> bytes:
    """The bytes with which every stored object of the resource begins."""
    return b'{"kind":' + _encode(resource.kind) + b',"apiVersion":' + _encode(str(resource.stored)) + b","


def stored_bytes(resource: Resource, obj: JsonObject) -> bytes:
    """The object as it is stored."""
    rest: dict[str, object] = {
        "kind": resource.kind,
        "apiVersion": str(resource.stored),
        "metadata": {**member(obj, "metadata"), "resourceVersion": _VERSION},
    }
    for name, value in obj.items():
        if name not in rest:
            rest[name] = value
    return escaped(_encode(rest))


def served_bytes(stored: Stored) -> bytes:
    """The stored object with its version."""
    return stored.value.replace(_HOLE, b"%d" % stored.revision, 1)


def served_parts(stored: Stored, size: int) -> Iterator[bytes]:
    """The same, cut into parts of about this size, each copied when it is its turn."""
    value = stored.value
    hole = value.find(_HOLE)
    if hole >= 0:
        yield value[:hole]
        yield b"%d" % stored.revision
    for start in range(hole + 1, len(value), size):
        yield value[start : start + size]


def item_bytes(stored: Stored, skipped: int) -> bytes:
    """The stored object as an item of a list, which has no kind: without its first `skipped` bytes."""
    return b"{" + stored.value[skipped:].replace(_HOLE, b"%d" % stored.revision, 1)


def decoded(stored: Stored) -> JsonObject:
    """The stored object with its version."""
    return cast("JsonObject", _decode(served_bytes(stored)))


def json_bytes(value: Json) -> bytes:
    """Any value as JSON."""
    return _encode(value)
