"""Ways to a field that are written in definitions: `.spec.size`, `.spec['a.b'].c`.

Specification: apiextensions-apiserver pkg/apiserver/schema/cel ValidFieldPath: what a schema does not know is no field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.path import Key, Path

_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[.\[\]]|[^.\[\]]+", re.DOTALL)
_NO_FIELD = "does not refer to a valid field"
_END = "unexpected end of JSON path"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class NoFieldError(ValueError):
    """The way leads nowhere; the text says why, as the API server does."""


def field_at(written: str, schema: JsonObject, *, with_brackets: bool = True) -> tuple[Path, JsonObject]:
    """The place that a way leads to, and the schema there. Raises NoFieldError."""
    tokens = iter(_TOKEN.findall(written))
    place, of = Path(), schema
    for part in tokens:
        if part == ".":
            name = _next(tokens)
        elif part == "[":
            if not with_brackets:
                raise NoFieldError("array notation is not allowed")
            name = _quoted(_next(tokens))
        else:
            raise NoFieldError(f"expected [ or . but got: {part}")
        place, of = _step(place, of, name)
        if part == "[" and (closing := _next(tokens)) != "]":
            raise NoFieldError(f"expected ] but got {closing}")
    return place, of


def _next(tokens: Iterator[str]) -> str:
    found = next(tokens, None)
    if found is None:
        raise NoFieldError(_END)
    return found


def _quoted(token: str) -> str:
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise NoFieldError(f"expected single quoted string but got {token}")
    for found in _ESCAPE.finditer(token[1:-1]):
        if found[1] not in _LETTERS:
            raise NoFieldError(f"invalid string literal: invalid escape char {found[0]}")
    return _ESCAPE.sub(lambda found: _LETTERS[found[1]], token[1:-1])


def _step(place: Path, schema: JsonObject, name: str) -> tuple[Path, JsonObject]:
    properties, more = schema.get("properties"), schema.get("additionalProperties")
    if isinstance(properties, dict):
        if name not in properties:
            raise NoFieldError(_NO_FIELD)
        return place / name, member(properties, name)
    if isinstance(more, dict):
        return place / Key(name), more
    raise NoFieldError(_NO_FIELD)
