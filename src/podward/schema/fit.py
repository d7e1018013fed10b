"""Whether an object fits its type at all: the quick answer that nearly every document gets.

Specification: `schema.mistakes` finds nothing. It walks the same table by functions made once for each type, and knows
no places: what does not fit is walked again by `schema`, which says where and why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from podward.schema.scalars import SCALARS, is_string
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json, JsonObject

Fit: TypeAlias = "Callable[[Json], bool]"
Together: TypeAlias = "Callable[..., object]"
"""A rule about several fields of an object: who has the objects `asked` about knows what else it takes."""
Surely: TypeAlias = "Callable[[JsonObject], bool] | None"
"""Whether such a rule surely has nothing against an object: then it is not asked about it. None: it always is."""


def fits(value: Json, code: str) -> bool:
    """Whether the value is of the type with this code of `schema.table`; null never is."""
    return _FITS[code](value)


class Fits(dict[str, Fit]):
    """The function of each type: made when it is first asked for, most never are.

    `null_items`: whether null may stand in a list or a map, as the zero value of its type. What a class below this one
    wants of fields beyond their types, it says in `field`, `text`, `needed` and `together`.
    """

    null_items = True

    def __init__(self) -> None:
        super().__init__()
        self._asked: list[tuple[Together, JsonObject]] = []  # by the functions, while an object is looked at

    def asked_of(self, of: str, value: Json) -> tuple[tuple[Together, JsonObject], ...] | None:
        """Rules about several fields, each with an object to ask it about; None where the value does not fit."""
        self._asked.clear()
        return tuple(self._asked) if self[of](value) else None

    def __missing__(self, code: str) -> Fit:
        made = self[code] = self._made(code)
        return made

    def field(self, of: str, name: str) -> Fit:
        """The function of a field of this type."""
        return self[TYPES[of][name]]

    def together(self, of: str) -> tuple[tuple[str, Together, Surely], ...]:
        """What is to be asked of an object of this type that has the field of this name; without one, of every."""
        del of
        return ()

    def text(self, of: str, name: str) -> Callable[[str], object] | Literal[True]:
        """Whether a text may stand in this field of the type `string`; True for whatever text."""
        del of, name
        return True

    def needed(self, of: str) -> tuple[str, ...]:
        """Fields that an object of this type must have."""
        del of
        return ()

    def _made(self, code: str) -> Fit:
        if code in SCALARS:
            return SCALARS[code][0]
        if code[0] == "[":
            return self._list(code[1:])
        if code[0] == "{":
            return self._map(code[1:])
        return self._object(code)

    def _list(self, inner: str) -> Fit:
        null_items = self.null_items

        def fit(value: Json) -> bool:
            if type(value) is not list:
                return False
            fits_inside = self[inner]
            for item in value:
                if type(item) is str and fits_inside is is_string:
                    continue
                if not (null_items if item is None else fits_inside(item)):
                    return False
            return True

        return fit

    def _map(self, inner: str) -> Fit:
        null_items = self.null_items

        def fit(value: Json) -> bool:
            if type(value) is not dict:
                return False
            fits_inside = self[inner]
            for item in value.values():
                if type(item) is str and fits_inside is is_string:
                    continue
                if not (null_items if item is None else fits_inside(item)):
                    return False
            return True

        return fit

    def _object(self, of: str) -> Fit:  # noqa: C901 - as for the function that it makes
        types, needed, asked = TYPES[of.partition("/")[0]], self.needed(of), self._asked
        of_every = [(rule, surely) for name, rule, surely in self.together(of) if not name]
        of_field: dict[str, list[tuple[Together, Surely]]] = {}
        for name, rule, surely in self.together(of):
            of_field.setdefault(name, []).append((rule, surely))
        texts = {name: self.text(of, name) for name, code in types.items() if code == "s" and name not in of_field}
        fields: dict[str, tuple[Fit, list[tuple[Together, Surely]]]] = {}  # as far as they were met

        def fit(value: Json) -> bool:  # noqa: C901, PLR0912 - each object is worth not being looked at by several
            if type(value) is not dict:
                return False
            for name, item in value.items():
                if type(item) is str:
                    is_sound = texts.get(name)
                    if is_sound is True:
                        continue
                    if is_sound is not None:
                        if is_sound(item):
                            continue
                        return False
                met = fields.get(name)
                if met is None:
                    if name not in types:
                        return False
                    met = fields[name] = self.field(of, name), of_field.get(name, [])
                if item is not None:
                    fits_inside, rules = met
                    if not fits_inside(item):
                        return False
                    for rule, surely in rules:
                        if surely is None or not surely(value):
                            asked.append((rule, value))
            for name in needed:
                if not value.get(name):
                    return False
            for rule, surely in of_every:
                if surely is None or not surely(value):
                    asked.append((rule, value))
            return True

        return fit


_FITS = Fits()
