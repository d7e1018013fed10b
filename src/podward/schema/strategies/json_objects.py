"""What keeps bytes from being JSON, in the words of Go's encoding/json.

Specification: encoding/json's scanner, which looks at one byte after the other, and Unmarshal into a map, which wants
an object or null.
"""

from __future__ import annotations

from podward.api.gotext import quote

_SPACE = frozenset(b" \t\r\n")
_DIGITS, _HEX = frozenset(b"0123456789"), frozenset(b"0123456789abcdefABCDEF")
_ESCAPED = frozenset(b'bfnrt\\/"')
_LITERALS = {ord(word[0]): word for word in ("true", "false", "null")}
_END = "unexpected end of JSON input"
_MOST_DEPTH = 10_000
_KINDS = {ord("["): "array", ord('"'): "string", ord("t"): "bool", ord("f"): "bool"}


class _SyntaxFault(Exception):  # noqa: N818 - it never leaves this module
    """The sentence of the fault."""


def object_fault(text: bytes) -> str:
    """What is wrong with bytes that ought to be a JSON object; empty if nothing is."""
    scanner = _Scanner(text)
    try:
        scanner.all()
    except _SyntaxFault as fault:
        return str(fault)
    first = text.lstrip(b" \t\r\n")[0]
    if first in b"{n":
        return ""
    return f"json: cannot unmarshal {_KINDS.get(first, 'number')} into Go value of type map[string]interface {{}}"


class _Scanner:
    __slots__ = ("_at", "_depth", "_text")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def all(self) -> None:
        self._spaces()
        self._value()
        self._spaces()
        if self._at < len(self._text):
            raise self._wrong("after top-level value")

    def _wrong(self, where: str) -> _SyntaxFault:
        if self._at >= len(self._text):
            return _SyntaxFault(_END)
        return _SyntaxFault(f"invalid character {_quoted(self._text[self._at])} {where}")

    def _next(self) -> int:
        return self._text[self._at] if self._at < len(self._text) else -1

    def _spaces(self) -> None:
        while self._next() in _SPACE:
            self._at += 1

    def _value(self) -> None:
        first = self._next()
        if first == ord("{"):
            self._members()
        elif first == ord("["):
            self._items()
        elif first == ord('"'):
            self._string()
        elif first in _LITERALS:
            self._literal(_LITERALS[first])
        elif first in _DIGITS or first == ord("-"):
            self._number()
        else:
            raise self._wrong("looking for beginning of value")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > min(_MOST_DEPTH, _OURS):
            raise _SyntaxFault("exceeded max depth")
        self._at += 1
        self._spaces()

    def _members(self) -> None:
        self._deeper()
        if self._next() != ord("}"):
            while True:
                if self._next() != ord('"'):
                    raise self._wrong("looking for beginning of object key string")
                self._string()
                self._spaces()
                if self._next() != ord(":"):
                    raise self._wrong("after object key")
                self._step_and_value()
                if self._next() != ord(","):
                    break
                self._at += 1
                self._spaces()
        self._close(ord("}"), "after object key:value pair")

    def _items(self) -> None:
        self._deeper()
        if self._next() != ord("]"):
            self._value()
            self._spaces()
            while self._next() == ord(","):
                self._step_and_value()
        self._close(ord("]"), "after array element")

    def _step_and_value(self) -> None:
        self._at += 1
        self._spaces()
        self._value()
        self._spaces()

    def _close(self, end: int, where: str) -> None:
        if self._next() != end:
            raise self._wrong(where)
        self._at += 1
        self._depth -= 1

    def _string(self) -> None:
        self._at += 1
        while (byte := self._next()) != ord('"'):
            if byte < ord(" "):
                raise self._wrong("in string literal")
            self._at += 1
            if byte == ord("\\"):
                self._escape()
        self._at += 1

    def _escape(self) -> None:
        byte = self._next()
        if byte == ord("u"):
            for _ in range(4):
                self._at += 1
                if self._next() not in _HEX:
                    raise self._wrong("in \\u hexadecimal character escape")
        elif byte not in _ESCAPED:
            raise self._wrong("in string escape code")
        self._at += 1

    def _literal(self, word: str) -> None:
        for char in word:
            if self._next() != ord(char):
                raise self._wrong(f"in literal {word} (expecting {_quoted(ord(char))})")
            self._at += 1

    def _number(self) -> None:
        if self._next() == ord("-"):
            self._at += 1
        if self._next() == ord("0"):
            self._at += 1
        else:
            self._digits("in numeric literal")
        if self._next() == ord("."):
            self._at += 1
            self._digits("after decimal point in numeric literal")
        if self._next() in {ord("e"), ord("E")}:
            self._at += 1
            if self._next() in {ord("+"), ord("-")}:
                self._at += 1
            self._digits("in exponent of numeric literal")

    def _digits(self, where: str) -> None:
        if self._next() not in _DIGITS:
            raise self._wrong(where)
        while self._next() in _DIGITS:
            self._at += 1


_OURS = 200
"""Depth beyond which we don't follow: Python's own stack is not endless."""


def _quoted(byte: int) -> str:
    char = chr(byte)
    if char == "'":
        return "'\\''"
    return "'\"'" if char == '"' else f"'{quote(char)[1:-1]}'"
