"""Where a text is no base64, as Go counts.

Specification: Go's encoding/base64, StdEncoding: groups of four letters, line breaks ignored; the last may end with one
`=` or two, and nothing follows. The error names a byte: the letter that is none, the byte after which padding is
missing, what follows after the padding, or, where letters are missing, as many bytes before the end as the last group
has letters.
"""

from __future__ import annotations

_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BREAKS = b"\r\n"
_PADDING = ord("=")


def base64_error(text: str) -> str | None:
    """What Go says of a text that is not base64."""
    at = _wrong_byte(text.encode())
    return None if at is None else f"illegal base64 data at input byte {at}"


def _wrong_byte(data: bytes) -> int | None:
    in_group = 0
    for at, byte in enumerate(data):
        if byte in _LETTERS:
            in_group = (in_group + 1) % 4
        elif byte in _BREAKS:
            continue
        elif byte == _PADDING and in_group >= 2:
            return _after_padding(data, at + 1, signs=3 - in_group)
        else:
            return at
    return len(data) - in_group if in_group else None


def _after_padding(data: bytes, at: int, signs: int) -> int | None:
    """The wrong byte after the first `=`, after which so many more are due."""
    at = _skipped(data, at)
    if signs:
        if at == len(data):
            return at
        if data[at] != _PADDING:
            return at - 1
        at = _skipped(data, at + 1)
    return at if at < len(data) else None


def _skipped(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _BREAKS:
        at += 1
    return at
