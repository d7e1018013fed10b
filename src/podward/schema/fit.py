"""Whether an object fits its type at all: the quick answer that nearly every document gets.

Specification: `schema.mistakes` finds nothing. It walks the same table by functions made once for each type, and knows
no places: what does not fit is walked again by `schema`, which says where and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from podward.schema.scalars import SCALARS, is_string
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json

Fit: TypeAlias = "Callable[[Json], bool]"


def fits(value: Json, code: str) -> bool:
    """Whether the value is of the type with this code of `schema.table`; null never is."""
    return _FITS[code](value)


class _Fits(dict[str, Fit]):
    """The function of each type: made when it is first asked for, most never are."""

    def __missing__(self, code: str) -> Fit:
        made = self[code] = _made(code)
        return made


def _made(code: str) -> Fit:
    if code in SCALARS:
        return SCALARS[code][0]
    if code[0] == "[":
        return _list(code[1:])
    if code[0] == "{":
        return _map(code[1:])
    return _object(TYPES[code])


def _list(inner: str) -> Fit:
    def fit(value: Json) -> bool:
        if type(value) is not list:
            return False
        fits_inside = _FITS[inner]
        for item in value:  # noqa: SIM110  # a generator would cost each item
            if item is not None and not fits_inside(item):
                return False
        return True

    return fit


def _map(inner: str) -> Fit:
    def fit(value: Json) -> bool:
        if type(value) is not dict:
            return False
        fits_inside = _FITS[inner]
        for item in value.values():  # noqa: SIM110  # as above
            if item is not None and not fits_inside(item):
                return False
        return True

    return fit


def _object(types: dict[str, str]) -> Fit:
    fields: dict[str, Fit] = {}  # as far as they were met

    def fit(value: Json) -> bool:
        if type(value) is not dict:
            return False
        for name, item in value.items():
            fits_inside = fields.get(name)
            if fits_inside is None:
                code = types.get(name)
                if code is None:
                    return False
                fits_inside = fields[name] = _FITS[code]
            if type(item) is str and fits_inside is is_string:
                continue
            if item is not None and not fits_inside(item):
                return False
        return True

    return fit


_FITS = _Fits()
