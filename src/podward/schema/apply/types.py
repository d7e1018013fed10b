"""What a value may be, as far as merging it goes: a scalar, a map, a list, or one of several.

Specification: structured-merge-diff v6, schema and typed. A map, which objects are too, is granular (each of its fields
has owners of its own) or atomic; a list is atomic, a set of scalars, or a list of objects that are told apart by keys.
Where a schema does not say what a value is, its form decides: maps are granular, lists are atomic.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.schema.apply.path_element import keyed, scalar, valued


class MapType(Struct, eq=False):
    """Objects with these fields, and maps, whose values are all of the type `element`."""

    fields: Mapping[str, Type]
    element: Type | None = None
    atomic: bool = False


class ListType(Struct, eq=False):
    """Lists of `item`; with `keys` their items are objects that these fields tell apart, without they are scalars.

    `defaults`: what a key is that an item leaves out. `declared`: the keys in the order in which they were declared.
    """

    item: Type
    atomic: bool = True
    keys: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    defaults: Mapping[str, Json] = {}


class Type(Struct, eq=False):
    """What a value may be. `scalar`: string, numeric, boolean, untyped, or nothing."""

    scalar: str = ""
    map: MapType | None = None
    list: ListType | None = None


Form = MapType | ListType | str
"""What a value of a type turned out to be; a scalar's is the name of its sort."""

STRING, NUMERIC, BOOLEAN, UNTYPED = Type("string"), Type("numeric"), Type("boolean"), Type("untyped")

ATOMIC = Type("untyped")
"""Any value, as a whole."""
ATOMIC.map, ATOMIC.list = MapType({}, ATOMIC, atomic=True), ListType(ATOMIC)

DEDUCED = Type("untyped")
"""Any value: its form decides."""
DEDUCED.map, DEDUCED.list = MapType({}, DEDUCED), ListType(ATOMIC)


def form(kind: Type, value: Json) -> Form:
    """What this value is; where the type does not allow it, the first form that the type has."""
    if type(value) is dict:
        if kind.map is not None:
            return kind.map
    elif type(value) is list:
        if kind.list is not None:
            return kind.list
    elif value is not None and kind.scalar:
        return kind.scalar
    return kind.map or kind.scalar or kind.list or ""


def step_to(items: ListType, item: Json) -> str:
    """The step to an item of a set or a keyed list; empty where `misfit` says why there is none."""
    if items.keys:
        return _keyed_step(items, item) if type(item) is dict else ""
    return valued(item) if item is not None and not isinstance(item, dict | list) else ""


def _keyed_step(items: ListType, item: dict[str, Json]) -> str:
    keys = items.keys
    if len(keys) == 1:
        value = item.get(keys[0])
        if type(value) is str:
            return f'k:{{"{keys[0]}":{scalar(value)}}}'
    found = [
        (key, item[key] if key in item else items.defaults[key]) for key in keys if key in item or key in items.defaults
    ]
    return keyed(found) if found else ""


def misfit(items: ListType, item: Json) -> str:
    """Why an item of a set or a keyed list cannot be told apart."""
    if items.keys:
        if item is None:
            return "associative list with keys may not have a null element"
        if not isinstance(item, dict):
            return "associative list with keys may not have non-map elements"
        named = " ".join(map(quote, items.declared))
        return (
            f"associative list with keys has an element that omits all key fields [{named}] "
            "(and doesn't have default values for any key fields)"
        )
    if isinstance(item, dict):
        return "associative list without keys has an element that's a map type"
    if isinstance(item, list):
        return "not supported: associative list with lists as elements"
    return "associative list without keys has an element that's an explicit null"


def grouped(items: ListType, values: list[Json]) -> dict[str, list[Json]]:
    """The items by their steps, in their order; those that cannot be told apart are left out."""
    found: dict[str, list[Json]] = {}
    for value in values:
        step = step_to(items, value)
        if step:
            found.setdefault(step, []).append(value)
    return found
