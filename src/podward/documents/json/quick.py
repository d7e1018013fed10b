"""The fast way to read JSON: with the standard library's decoder in C, and lines only when one is asked for.

Specification: what `json_reader` answers for the same text. Whatever it would refuse, and halves of surrogate pairs,
raise OutsideSubsetError: the text is then read anew by `json_reader`, whose errors are the only ones.
"""

from __future__ import annotations

from json.decoder import JSONDecoder
from math import isinf
from typing import TYPE_CHECKING, NoReturn

from podward.documents.composed import DEEPEST, Composed
from podward.documents.json.exact import MOST_DIGITS, read_json
from podward.documents.yaml.flow import OutsideSubsetError

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.composed import Lines


def read_json_quickly(text: str, first_line: int) -> tuple[Composed, ...]:
    """The only value in `text`. Raises OutsideSubsetError."""
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

    return (Composed(value, line, lines, None),)


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
        if depth > DEEPEST:
            raise OutsideSubsetError
        for inner in value.values() if isinstance(value, dict) else value:
            if type(inner) is dict or type(inner) is list:
                _check_depth(inner, depth + 1)


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)
