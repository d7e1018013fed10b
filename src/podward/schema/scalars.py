"""The scalar types of Kubernetes' objects: what JSON each one decodes from.

Specification: Kubernetes' Go types. Integers are JSON numbers without dot or exponent, within their size.
IntOrString is a string or a 32-bit integer. A Quantity is a number, or a string such as `1.5Gi` (`api.quantity`). Time
is RFC 3339. Bytes are standard base64, line breaks ignored.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import TYPE_CHECKING

from podward.api.quantity import QuantityError
from podward.api.quantity import parse as parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json

INT32, _INT64 = 1 << 31, 1 << 63
_DIGITS = "0123456789"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SHORTEST_TIME = len("2000-01-01T00:00:00Z")


def is_string(value: Json) -> bool:
    """String."""
    return type(value) is str


def is_boolean(value: Json) -> bool:
    """Bool."""
    return type(value) is bool


def is_int32(value: Json) -> bool:
    """int32."""
    return type(value) is int and -INT32 <= value < INT32


def is_int64(value: Json) -> bool:
    """int64."""
    return type(value) is int and -_INT64 <= value < _INT64


def is_int_or_string(value: Json) -> bool:
    """util/intstr IntOrString."""
    return type(value) is str or is_int32(value)


def is_object(value: Json) -> bool:
    """Any object."""
    return type(value) is dict


def is_quantity(value: Json) -> bool:
    """resource.Quantity."""
    if type(value) is not str:
        if type(value) is not int and type(value) is not float:
            return False
        value = str(value)
    try:
        parse_quantity(value)
    except QuantityError:
        return False
    return True


def is_time(value: Json) -> bool:
    """meta/v1 Time: RFC 3339 with optional fraction."""
    if type(value) is not str or len(value) < _SHORTEST_TIME or not value.isascii():
        return False
    day, separator, clock = value[:10], value[10], value[11:]
    digits = day[:4] + day[5:7] + day[8:] + clock[:2] + clock[3:5] + clock[6:8]
    if day[4] + day[7] + separator + clock[2] + clock[5] != "--T::" or digits.strip(_DIGITS):
        return False
    year, month, date = int(day[:4]), int(day[5:7]), int(day[8:])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= date <= _DAYS[month - 1] - (month == 2 and not leap):
        return False
    if clock[:2] > "23" or clock[3:5] > "59" or clock[6:8] > "59":
        return False
    return _is_zone(_after_fraction(clock[8:]))


def _after_fraction(text: str) -> str:
    if text[:1] not in {".", ","}:
        return text
    rest = text[1:].lstrip(_DIGITS)
    return rest if len(rest) < len(text) - 1 else "?"


def _is_zone(text: str) -> bool:
    if text == "Z":
        return True
    shape = len(text) == len("+00:00") and text[0] in "+-" and text[3] == ":"
    return shape and not (text[1:3] + text[4:]).strip(_DIGITS) and text[1:3] <= "24" and text[4:] <= "60"


def is_bytes(value: Json) -> bool:
    """[]byte."""
    if type(value) is not str:
        return False
    try:
        a2b_base64(value.replace("\r", "").replace("\n", "").encode(), strict_mode=True)
    except Base64Error:
        return False
    return True


SCALARS: dict[str, tuple[Callable[[Json], bool], str]] = {
    "s": (is_string, "a string"),
    "b": (is_boolean, "true or false"),
    "i": (is_int32, "a 32-bit integer"),
    "l": (is_int64, "a 64-bit integer"),
    "q": (is_quantity, 'a quantity such as "100m" or "1.5Gi"'),
    "o": (is_int_or_string, "a 32-bit integer or a string"),
    "t": (is_time, 'a time such as "2026-01-31T12:00:00Z"'),
    "y": (is_bytes, "a string in base64"),
    "r": (is_object, "an object"),
}
"""By the letters of `schema.table`: whether a value is one, and what to call it."""
