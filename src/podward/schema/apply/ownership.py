"""The fields of a value: those that an applied one owns, and those of a whole one that came or went.

Specification: structured-merge-diff v6, typed: TypedValue.ToFieldSet, and Compare with nothing on one side. They
differ: an applied object owns its leaves, its lists' items and the keys of its maps, but not the objects around them,
whereas of a value that came every level is new. Items of a list that cannot be told apart are one field.
"""

from __future__ import annotations

from podward.api.json_value import Json
from podward.schema.apply.field_set import FieldSet, as_field
from podward.schema.apply.types import ListType, MapType, Type, form, grouped


def whole(kind: Type | None, value: Json) -> FieldSet:
    """The node of a value that came or went as a whole: all that is in it, and itself."""
    if not value or kind is None:
        return {}
    if type(value) is dict:
        fields = kind.map
        if fields is None or fields.atomic:
            return {}
        types, element = fields.fields, fields.element
        node: FieldSet = {".": {}}
        for name in sorted(value):
            item = value[name]
            below = type(item) is dict or type(item) is list
            node[f"f:{name}"] = whole(types.get(name) or element, item) if below else {}
        return node
    if type(value) is list:
        items = kind.list
        if items is None or items.atomic:
            return {}
        node = {".": {}}
        for step, same in grouped(items, value).items():
            node[step] = whole(items.item, same[0]) if len(same) == 1 else {}
        return node
    return {}


def owned(kind: Type, value: Json) -> FieldSet:
    """The fields that a manager owns by applying this object."""
    return _owned(kind, value) or {}


def _owned(kind: Type, value: Json) -> FieldSet | None:
    found = form(kind, value)
    if isinstance(found, MapType):
        return _owned_map(found, value)
    if isinstance(found, ListType):
        return _owned_list(found, value)
    return {}


def _owned_map(fields: MapType, value: Json) -> FieldSet | None:
    if fields.atomic:
        return {}
    if not isinstance(value, dict):
        return None
    node: FieldSet = {}
    for name, item in value.items():
        declared = fields.fields.get(name)
        below = _owned(declared or fields.element or _NOTHING, item)
        if declared is None or item is None or item == {}:
            below = as_field(below)
        if below is not None:
            node[f"f:{name}"] = below
    return node or None


def _owned_list(items: ListType, value: Json) -> FieldSet | None:
    if items.atomic:
        return {}
    if not isinstance(value, list):
        return None
    node = {
        step: as_field(_owned(items.item, same[0])) if len(same) == 1 else {}
        for step, same in grouped(items, value).items()
    }
    return node or None


_NOTHING = Type("untyped")
