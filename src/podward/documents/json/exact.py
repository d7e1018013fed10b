"""Reading manifests in JSON exactly: with the line of every field, and an error at its line and column.

Specification: RFC 8259 as Go's encoding/json reads it: a number keeps its form (`1.0` is no integer), a number that
is no finite float64 is refused, half of a surrogate pair becomes U+FFFD. As in kubectl, one file may hold several
values that follow each other. Unlike Go, this reader refuses duplicate keys and invalid UTF-8.
"""

from __future__ import annotations

from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]  # public, but typeshed lacks it
from math import isinf
from re import compile as pattern
from typing import TYPE_CHECKING, NoReturn

from podward.api.json_value import shortened
from podward.documents.parsed_value import (
    DUPLICATE_ADVICE,
    MAX_DEPTH,
    MAX_DOCUMENTS,
    LimitExceededError,
    ParsedValue,
    ParseError,
)

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_SPACE = pattern(r"[ \t\n\r]*")
_NUMBER = pattern(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: tuple[tuple[str, bool | None], ...] = (("true", True), ("false", False), ("null", None))
MOST_DIGITS = 309  # of an integer: more is no finite float64 either


class JsonSyntaxError(ParseError):
    """The text is not JSON; it may still be YAML that starts with a brace."""


def read_json(text: str, first_line: int) -> tuple[ParsedValue, ...]:
    """The values that follow each other in `text`. Raises ParseError; JsonSyntaxError if the text is not JSON."""
    reader = _Reader(text, first_line)
    documents: list[ParsedValue] = []
    while not reader.at_end():
        line = reader.line
        value, lines = reader.value(0)
        if len(documents) == MAX_DOCUMENTS:
            raise LimitExceededError(f"more than {MAX_DOCUMENTS:,} documents", line)
        documents.append(ParsedValue(value, line, lines or {}, None))
    return tuple(documents)


class _Reader:
    """A reader of the text: `_at` is how far it has come, `line` the line of that place."""

    __slots__ = ("_at", "_text", "line")

    def __init__(self, text: str, first_line: int) -> None:
        self._text = text
        self._at = 0
        self.line = first_line

    def at_end(self) -> bool:
        """Skip white space. Returns whether nothing else is left."""
        self._skip_space()
        return self._at == len(self._text)

    def value(self, depth: int) -> tuple[Json, Lines | None]:
        """Read one value; also returns the lines inside of it if it is an object or a list."""
        text, at = self._text, self._at
        start = text[at : at + 1]
        if start == '"':
            return self._string(), None
        if start in {"{", "["} and start:
            if depth == MAX_DEPTH:
                raise LimitExceededError(f"nested deeper than {MAX_DEPTH} levels", self.line, self._column())
            self._at += 1
            return self._object(depth + 1) if start == "{" else self._list(depth + 1)
        for word, meaning in _WORDS:
            if text.startswith(word, at):
                self._at += len(word)
                return meaning, None
        return self._number(), None

    def _object(self, depth: int) -> tuple[Json, Lines]:
        fields: JsonObject = {}
        lines: Lines = {}
        self._skip_space()
        if self._take("}"):
            return fields, lines
        while True:
            if self._text[self._at : self._at + 1] != '"':
                self._fail("expected a key in double quotes")
            line = self.line
            name_at = self._at
            name = self._string()
            if name in fields:
                self._duplicate(name, lines[name], name_at)
            self._skip_space()
            if not self._take(":"):
                self._fail("expected ':' after a key")
            self._skip_space()
            fields[name], inside = self.value(depth)
            lines[name] = line if inside is None else (line, inside)
            self._skip_space()
            if self._take("}"):
                return fields, lines
            if not self._take(","):
                self._fail("expected ',' or '}'")
            self._skip_space()

    def _list(self, depth: int) -> tuple[Json, Lines]:
        items: list[Json] = []
        lines: Lines = {}
        self._skip_space()
        if self._take("]"):
            return items, lines
        while True:
            line = self.line
            value, inside = self.value(depth)
            lines[len(items)] = line if inside is None else (line, inside)
            items.append(value)
            self._skip_space()
            if self._take("]"):
                return items, lines
            if not self._take(","):
                self._fail("expected ',' or ']'")
            self._skip_space()

    def _string(self) -> str:
        value: str
        try:
            value, self._at = scanstring(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            self._at = error.pos
            self._fail(error.msg[0].lower() + error.msg[1:].removesuffix(" at"))
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            self._fail("expected a value" if self._at < len(self._text) else "the text ends in the middle of a value")
        whole, fraction, exponent = found.groups()
        if fraction is None and exponent is None:
            if len(whole) > MOST_DIGITS:
                self._refuse(f"the number {whole[:20]}… is out of range")
            value: int | float = int(whole)
        else:
            value = float(found.group())
            if isinf(value):
                self._refuse(f"the number {found.group()[:40]} is out of range")
        self._at = found.end()
        return value

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        end = found.end() if found else self._at
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _take(self, char: str) -> bool:
        if self._text.startswith(char, self._at):
            self._at += 1
            return True
        return False

    def _column(self) -> int:
        return self._at - self._text.rfind("\n", 0, self._at)

    def _duplicate(self, name: str, earlier: int | tuple[int, Lines], at: int) -> NoReturn:
        self._at = at
        line = earlier if isinstance(earlier, int) else earlier[0]
        self._refuse(f"duplicate key {shortened(name)}, already on line {line}", DUPLICATE_ADVICE)

    def _refuse(self, what: str, advice: str = "") -> NoReturn:
        raise ParseError(what, self.line, self._column(), advice)

    def _fail(self, what: str) -> NoReturn:
        if not self._text[self._at :].strip():  # a text that ends too early is at fault in its last line
            self.line -= self._text.count("\n", len(self._text.rstrip()), self._at)
            self._at = len(self._text.rstrip())
        raise JsonSyntaxError(f"invalid JSON: {what}", self.line, self._column())
