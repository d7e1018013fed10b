"""What Go writes otherwise in JSON.

Specification: Go, encoding/json: in texts, characters that mean something in HTML or JavaScript are escaped. None of
them stands in JSON outside of a text, so that a whole document is escaped at once.
"""

from __future__ import annotations

_ESCAPES = (
    (b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"),
    (b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"),
)  # fmt: skip


def escaped(document: bytes) -> bytes:
    """The document in UTF-8, as Go writes it."""
    for character, escape in _ESCAPES:
        if character in document:
            document = document.replace(character, escape)
    return document
