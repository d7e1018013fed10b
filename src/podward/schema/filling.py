"""How the rows of `default_table` are filled in: one walk over an object, which is copied where something is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from podward.decision import Assignment, Source
from podward.path import Path
from podward.schema.table import TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

At: TypeAlias = "tuple[At | None, str | int]"
"""A place, as the one around it and a step: hardly any is told."""
Fill: TypeAlias = "Callable[[JsonObject, At, Told | None], JsonObject]"
"""The object with its defaults: itself where it has them all, else a copy."""


class Told:
    """What is set, noted for those who explain."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.made: list[Assignment] = []

    def note(self, at: At | None, name: str, value: Json, reason: str) -> None:
        """A field of the object at this place is set."""
        steps: list[str | int] = [name]
        while at is not None:
            at, step = at
            steps.append(step)
        self.made.append(Assignment(Path(tuple(reversed(steps))), value, reason, self._source))


class Default(Struct, frozen=True):
    """A field, its value, or what works it out from its object; and why, with `{}` for the value."""

    name: str
    value: Any
    why: str = "unset: {} is the default"
    unset: tuple[Json, ...] = (None, "")

    def of(self, owner: JsonObject) -> Json:
        """The value for this object."""
        value: Json = self.value(owner) if callable(self.value) else self.value
        return value


class Into(Struct, frozen=True):
    """An object, or a list of objects, with the defaults of its type, or those that `of` names."""

    name: str
    of: str = ""


class Derived(Struct, frozen=True):
    """What follows from several fields: `fill` answers the object as it should be, itself if nothing is to be set."""

    fill: Fill


Row: TypeAlias = Default | Into | Derived


class Fills(dict[str, Fill]):
    """For each type the function that fills in its defaults: made when the type is first met."""

    def __init__(self, defaults: Mapping[str, Sequence[Row]]) -> None:
        super().__init__()
        self._defaults = defaults

    def __missing__(self, of: str) -> Fill:
        made = self[of] = self._fill(of)
        return made

    def _fill(self, of: str) -> Fill:
        rows, types = self._defaults.get(of, ()), TYPES[of.partition("/")[0]]
        own = tuple([(row.name, row.unset, row) for row in rows if isinstance(row, Default)])
        inside = tuple([(row.name, row.of or types[row.name].lstrip("[")) for row in rows if isinstance(row, Into)])
        derived = tuple([row.fill for row in rows if isinstance(row, Derived)])

        def fill(owner: JsonObject, at: At, told: Told | None) -> JsonObject:
            made = owner
            for name, unset, default in own:
                if made.get(name) in unset:
                    made = {**owner} if made is owner else made
                    value = made[name] = default.of(owner)
                    if told is not None:
                        told.note(at, name, value, default.why.format(value))
            for name, inner in inside:
                written = made.get(name)
                if written is not None:
                    filled = _inside(written, self[inner], (at, name), told)
                    if filled is not written:
                        made = {**owner} if made is owner else made
                        made[name] = filled
            for rule in derived:
                made = rule(made, at, told)
            return made

        return fill


def _inside(written: Json, fill: Fill, at: At, told: Told | None) -> Json:
    """The object, or the list of objects, with its defaults; itself where nothing is set."""
    if type(written) is dict:
        return fill(written, at, told)
    made = written
    for index, item in enumerate(written if isinstance(written, list) else ()):
        before: JsonObject = item if isinstance(item, dict) else {}
        filled = fill(before, (at, index), told)
        if filled is not before and isinstance(made, list):
            made = [*made] if made is written else made
            made[index] = filled
    return made
