"""A Status in Protobuf, for who accepts nothing else: objects are not written so, but their refusal is.

Specification: k8s.io/apimachinery runtime/serializer/protobuf and meta/v1 generated.proto: after four letters an
Unknown with kind and version, and in it the message. Texts are written also where they are empty.
"""

from __future__ import annotations

from podward.api.status import Status, StatusDetails

_MAGIC = b"k8s\x00"
_NO_LIST_METADATA = b"\x0a\x00\x12\x00\x1a\x00"


def protobuf_status(status: Status) -> bytes:
    """The bytes of the answer."""
    raw = b"".join(
        (
            _block(1, _NO_LIST_METADATA),
            _text(2, "Success" if status.success else "Failure"),
            _text(3, status.message),
            _text(4, status.reason),
            _block(5, _details(status.details)) if status.details is not None else b"",
            _number(6, status.code),
        )
    )
    kind = _text(1, "v1") + _text(2, "Status")
    return _MAGIC + _block(1, kind) + _block(2, raw) + _text(3, "") + _text(4, "")


def _details(details: StatusDetails) -> bytes:
    causes = [_text(1, each.reason) + _text(2, each.message) + _text(3, each.field) for each in details.causes]
    return b"".join(
        (
            _text(1, details.name),
            _text(2, details.group),
            _text(3, details.kind),
            *[_block(4, cause) for cause in causes],
            _number(5, details.retry_after_seconds),
            _text(6, details.uid),
        )
    )


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, value: str) -> bytes:
    return _block(field, value.encode())
