"""Reading JSON fast: with the standard library's decoder in C. Lines are found only if one is asked for.

Specification: the same value and lines as `json.exact` for the same text. This reader raises OutsideSubsetError for
halves of surrogate pairs and for everything that `json.exact` refuses. The caller then reads the text with
`json.exact`, so all errors that users see come from there.
"""

from __future__ import annotations

from json.decoder import JSONDecoder
from math import isinf
from typing import TYPE_CHECKING, NoReturn

from podward.documents.json.exact import MOST_DIGITS, read_json
from podward.documents.parsed_value import MAX_DEPTH, OutsideSubsetError, ParsedValue

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines


def read_json_fast(text: str, first_line: int) -> tuple[ParsedValue, ...]:
    """The one value in `text`. Raises OutsideSubsetError."""
    if "\\ud" in text or "\\uD" in text:
        raise OutsideSubsetError
    try:
        value: Json = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise OutsideSubsetError from None
    _check_depth(value, 1)
    line = first_line + text.count("\n", 0, len(text) - len(text.lstrip(" \t\n\r")))

    def lines() -> Lines:
        found = read_json(text, first_line)[0].lines
        return found() if callable(found) else found

    return (ParsedValue(value, line, lines, None),)


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise OutsideSubsetError
    return found


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise OutsideSubsetError
    return value


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise OutsideSubsetError
    return int(text)


def _constant(text: str) -> NoReturn:
    raise OutsideSubsetError(text)


def _check_depth(value: Json, depth: int) -> None:
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise OutsideSubsetError
        for inner in value.values() if isinstance(value, dict) else value:
            if type(inner) is dict or type(inner) is list:
                _check_depth(inner, depth + 1)


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)
