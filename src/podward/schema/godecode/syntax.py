"""What Go says of a text that is no JSON.

Specification: encoding/json's scanner, which names the first character that can't stand where it is, and what it looked
for. Objects and lists nest at most 10,000 deep.
"""

from __future__ import annotations

import re

_SPACE = b" \t\r\n"
_END = "unexpected end of JSON input"
_DEEPEST = 10_000
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = (b"true", b"false", b"null")


class _WrongError(Exception):
    """The scan is over; the message is Go's."""


def syntax_error(text: bytes) -> str | None:
    """Go's words about the first thing that is wrong; None for JSON."""
    try:
        _scan(text)
    except _WrongError as wrong:
        return str(wrong)
    return None


def _scan(text: bytes) -> None:
    """Go through one value with all in it; `open_` holds what each object or list around expects next."""
    open_: list[str] = []
    at, wanted = 0, "value"
    while True:
        at = _skipped(text, at)
        if wanted == "end":
            if at < len(text):
                raise _wrong(text, at, "after top-level value")
            return
        if at >= len(text):
            raise _WrongError(_END)
        at, wanted = _step(text, at, wanted, open_)


def _step(text: bytes, at: int, wanted: str, open_: list[str]) -> tuple[int, str]:
    """One token: where it ends, and what is wanted then."""
    byte = text[at : at + 1]
    match wanted:
        case "value" | "item":
            if wanted == "item" and byte == b"]":
                return at + 1, _closed(open_)
            return _value(text, at, open_)
        case "key" | "name":
            if wanted == "key" and byte == b"}":
                return at + 1, _closed(open_)
            if byte != b'"':
                raise _wrong(text, at, "looking for beginning of object key string")
            return _string(text, at), "colon"
        case "colon":
            if byte != b":":
                raise _wrong(text, at, "after object key")
            return at + 1, "value"
        case _:
            return _after(text, at, open_)


def _value(text: bytes, at: int, open_: list[str]) -> tuple[int, str]:
    byte = text[at : at + 1]
    if byte in {b"{", b"["}:
        open_.append("object" if byte == b"{" else "array")
        if len(open_) > _DEEPEST:
            raise _WrongError("exceeded max depth")
        return at + 1, "key" if byte == b"{" else "item"
    then = "more" if open_ else "end"
    if byte == b'"':
        return _string(text, at), then
    if byte == b"-" or byte.isdigit():
        return _number(text, at), then
    for word in _WORDS:
        if byte == word[:1]:
            return _word(text, at, word), then
    raise _wrong(text, at, "looking for beginning of value")


def _after(text: bytes, at: int, open_: list[str]) -> tuple[int, str]:
    byte, inside = text[at : at + 1], open_[-1]
    if byte == b",":
        return at + 1, "name" if inside == "object" else "value"
    if byte == (b"}" if inside == "object" else b"]"):
        return at + 1, _closed(open_)
    raise _wrong(text, at, "after object key:value pair" if inside == "object" else "after array element")


def _closed(open_: list[str]) -> str:
    open_.pop()
    return "more" if open_ else "end"


def _string(text: bytes, at: int) -> int:
    found = _STRING.match(text, at)
    if found is not None:
        return found.end()
    at += 1
    while at < len(text):
        if text[at] == ord("\\"):
            at = _escape(text, at + 1)
        elif text[at] < ord(" "):
            raise _wrong(text, at, "in string literal")
        else:
            at += 1
    raise _WrongError(_END)


def _escape(text: bytes, at: int) -> int:
    if at >= len(text):
        raise _WrongError(_END)
    if text[at] in b'"\\/bfnrt':
        return at + 1
    if text[at] != ord("u"):
        raise _wrong(text, at, "in string escape code")
    for place in range(at + 1, at + 5):
        if place >= len(text):
            raise _WrongError(_END)
        if text[place] not in b"0123456789abcdefABCDEF":
            raise _wrong(text, place, "in \\u hexadecimal character escape")
    return at + 5


def _number(text: bytes, at: int) -> int:
    found = _NUMBER.match(text, at)
    end = at + 1 if found is None else found.end()
    follows = text[end : end + 1]
    if found is None:
        where = "in numeric literal"
    elif follows == b"." and b"." not in found.group() and b"e" not in found.group().lower():
        end, where = end + 1, "after decimal point in numeric literal"
    elif follows in {b"e", b"E"} and b"e" not in found.group().lower():
        end += 2 if text[end + 1 : end + 2] in {b"+", b"-"} else 1
        where = "in exponent of numeric literal"
    else:
        return end
    if end >= len(text):
        raise _WrongError(_END)
    raise _wrong(text, end, where)


def _word(text: bytes, at: int, word: bytes) -> int:
    for index in range(1, len(word)):
        if at + index >= len(text):
            raise _WrongError(_END)
        if text[at + index] != word[index]:
            raise _wrong(text, at + index, f"in literal {word.decode()} (expecting {chr(word[index])!r})")
    return at + len(word)


def _skipped(text: bytes, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _wrong(text: bytes, at: int, where: str) -> _WrongError:
    return _WrongError(f"invalid character {_quoted(text, at)} {where}")


def _quoted(text: bytes, at: int) -> str:
    """The character at a byte as Go quotes one."""
    char = text[at : at + 4].decode("utf-8", "surrogateescape")[0]
    if "\udc80" <= char <= "\udcff":  # a byte that begins no character
        return f"'\\x{text[at]:02x}'"
    if char in _ESCAPED:
        return f"'{_ESCAPED[char]}'"
    if char.isprintable():
        return f"'{char}'"
    return f"'\\x{ord(char):02x}'" if ord(char) < ord(" ") or char == "\x7f" else f"'\\u{ord(char):04x}'"


_ESCAPED = {
    "'": "\\'",
    "\\": "\\\\",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}
