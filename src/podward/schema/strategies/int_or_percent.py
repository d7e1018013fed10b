"""Numbers that may be a percentage.

Specification: Kubernetes, pkg/apis/apps/validation ValidatePositiveIntOrPercent, IsNotMoreThan100Percent and
getIntOrPercentValue, util/validation IsValidPercent. A text that is no percentage counts as the number that it is,
or 0.
"""

from __future__ import annotations

from podward.api.json_value import Json
from podward.decision import Decision
from podward.schema.validation.field import NOTHING, At, invalid

_RULE = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)
_LARGEST = (1 << 63) - 1


def positive(value: Json, at: At) -> Decision:
    """Refuse what is neither a percentage nor a number that is not negative."""
    if isinstance(value, str):
        return NOTHING if is_percentage(value) else invalid(at, value, _RULE)
    number = value if type(value) is int else 0
    return NOTHING if number >= 0 else invalid(at, number, "must be greater than or equal to 0")


def at_most_all(value: Json, at: At) -> Decision:
    """Refuse more than 100%."""
    if isinstance(value, str) and is_percentage(value) and amount(value) > 100:
        return invalid(at, value, "must not be greater than 100%")
    return NOTHING


def amount(value: Json) -> int:
    """The number, be it of a percentage."""
    if not isinstance(value, str):
        return value if type(value) is int else 0
    digits = value.removesuffix("%") if is_percentage(value) else value.removeprefix("+").removeprefix("-")
    if not digits.isascii() or not digits.isdecimal():
        return 0
    number = min(int(digits), _LARGEST) if len(digits) < 1000 else _LARGEST
    return -number if value.startswith("-") else number


def is_percentage(value: str) -> bool:
    """Whether the text is digits and a `%`."""
    digits = value.removesuffix("%")
    return digits != value and digits.isascii() and digits.isdecimal()


def scaled(value: Json, of: int, *, up: bool) -> int:
    """The number; of a percentage, that part of `of`, rounded up or down."""
    if not isinstance(value, str):
        return amount(value)
    share = amount(value) * of
    return -(-share // 100) if up else share // 100
