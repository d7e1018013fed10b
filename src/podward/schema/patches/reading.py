"""The JSON of a patch: its value, and what stands twice in it.

Specification: apimachinery, pkg/util/json, and encoding/json: whole numbers of 64 bits stay whole, halves of surrogate
pairs become U+FFFD, a number that is no float64 is refused. Nothing nests deeper than 100 levels here.
"""

from __future__ import annotations

from math import isinf

from podward.api.json_value import Json
from podward.errors import InputError
from podward.schema.depth import too_deep
from podward.schema.godecode.syntax import syntax_error
from podward.schema.godecode.tree import plain, read

_LARGEST_LOOKED_AT = 64 * 1024  # a longer text is not searched for its first fault


class UnreadableError(ValueError):
    """The text is no JSON; the message is the server's."""


def read_json(body: bytes) -> tuple[Json, list[str]]:
    """The value, and an error for each name that stands twice, of which the last counts. Raises UnreadableError."""
    if bracket := too_deep(body):
        raise UnreadableError(f"invalid character '{bracket}' exceeded max depth")
    strict: list[str] = []
    try:
        value = plain(read(body), "", strict)
    except (InputError, RecursionError) as error:
        raise UnreadableError(_words(body) or "exceeded max depth") from error
    if fault := _unfit(value):
        raise UnreadableError(fault)
    return value, strict


def _words(body: bytes) -> str | None:
    return syntax_error(body) if len(body) <= _LARGEST_LOOKED_AT else "invalid JSON"


def _unfit(value: Json) -> str:
    """What is wrong with a value although it is JSON."""
    if isinstance(value, float):
        return "json: cannot unmarshal number into Go value of type float64" if isinf(value) else ""
    if not isinstance(value, dict | list):
        return ""
    items = value.values() if isinstance(value, dict) else value
    return next((fault for item in items if (fault := _unfit(item))), "")
