"""The types of Kubernetes' own kinds, made of their tables.

Specification: the OpenAPI definitions that schema/table.py and schema/merge_table.py come from, and kube-openapi's
schemaconv, which reads them: lists are atomic unless they say otherwise, objects and maps granular.
"""

from __future__ import annotations

from functools import cache

from podward.schema import kinds  # noqa: F401 - with it the table has the types of all kinds
from podward.schema.apply.types import ATOMIC, BOOLEAN, DEDUCED, NUMERIC, STRING, UNTYPED, ListType, MapType, Type
from podward.schema.merge_table import ATOMIC_TYPES, KEY_DEFAULTS, KEYED_LISTS, MAP_TYPES
from podward.schema.table import TYPES

_LETTERS = {
    "s": STRING,
    "y": STRING,
    "b": BOOLEAN,
    "i": NUMERIC,
    "l": NUMERIC,
    "q": UNTYPED,
    "o": UNTYPED,
    "t": UNTYPED,
    "m": UNTYPED,
    "n": NUMERIC,
    "r": ATOMIC,
}


@cache
def builtin(name: str) -> Type:
    """The type of this name in schema/table.py; it is made once, with those that it needs."""
    found = Type()
    _MAKING[name] = found
    fields = {field: _typed(code, name, field) for field, code in TYPES[name].items()}
    found.map = MapType(fields, atomic=name in ATOMIC_TYPES)
    return found


_MAKING: dict[str, Type] = {}
"""Types by name, also while they are being made: JSON schemas hold JSON schemas."""


def _typed(code: str, owner: str, field: str) -> Type:
    """The type of a field, whose code the table has."""
    map_type = MAP_TYPES.get(owner, {}).get(field)
    if code.startswith("["):
        return Type(list=_list(code[1:], KEYED_LISTS.get(owner, {}).get(field)))
    if code.startswith("{"):
        return Type(map=MapType({}, _typed(code[1:], "", ""), atomic=map_type == "atomic"))
    if code not in TYPES:
        return _LETTERS.get(code, DEDUCED)
    found = _MAKING.get(code) or builtin(code)
    if map_type is None:
        return found
    return Type(map=MapType(found.map.fields if found.map else {}, atomic=map_type == "atomic"))


def _list(code: str, keys: str | None) -> ListType:
    item = _typed(code, "", "")
    if keys is None:
        return ListType(item)
    declared = tuple(keys.split())
    return ListType(
        item, atomic=False, keys=tuple(sorted(declared)), declared=declared, defaults=KEY_DEFAULTS.get(code, {})
    )
