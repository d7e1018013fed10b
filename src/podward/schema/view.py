"""From a raw object to the typed view of it.

As in Go, null and absent are the same, and a null in a list or a map is its type's zero value.
`podward.schema.strict` must have found nothing before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import ValidationError, convert

from podward.api.core import Pod
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

T = TypeVar("T")

_ZERO: dict[str, Json] = {"s": "", "b": False, "i": 0, "l": 0, "q": 0, "o": 0}


def pod_view(raw: JsonObject) -> Pod:
    """The Pod `raw` as typed objects."""
    return typed_view(raw, Pod, "Pod")


def typed_view(raw: JsonObject, as_type: type[T], code: str) -> T:
    """The object `raw` as a view of `as_type`; `code` is its type's name in `schema.table.TYPES`."""
    try:
        return convert(raw, as_type)
    except ValidationError:
        return convert(_without_nulls(raw, code), as_type)


def _without_nulls(value: Json, code: str) -> Json:
    if not code or (code[0] not in "[{" and code not in TYPES):
        return value  # a scalar, or any JSON at all: nothing of it is in the view
    if isinstance(value, list):
        inner = code[1:]
        return [_without_nulls(_zero(inner) if item is None else item, inner) for item in value]
    if not isinstance(value, dict):
        return value
    if code[0] == "{":
        return {name: _zero(code[1:]) if item is None else item for name, item in value.items()}
    types = TYPES.get(code, {})
    return {
        name: _without_nulls(item, types[name]) for name, item in value.items() if item is not None and name in types
    }


def _zero(code: str) -> Json:
    if code in _ZERO:
        return _ZERO[code]
    return [] if code[0] == "[" else {}
