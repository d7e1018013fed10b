"""Bytes that stand in a field as base64, which has been checked when the object was decoded."""

from __future__ import annotations

from binascii import a2b_base64

from podward.api.json_value import Json

_BREAKS = str.maketrans("", "", "\r\n")


def decoded(text: str) -> bytes:
    """The bytes."""
    return a2b_base64(text.translate(_BREAKS).encode())


def length(value: Json) -> int:
    """How many bytes they are; those of nothing are none."""
    if not isinstance(value, str) or not value:
        return 0
    text = value.translate(_BREAKS) if "\n" in value or "\r" in value else value
    return len(text) // 4 * 3 - text[-2:].count("=")
