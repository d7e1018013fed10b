"""An object without some of its fields.

Specification: structured-merge-diff v6, typed RemoveItems: a field of the set goes, and what is in it; of a container
with fields of the set below it the rest stays, if need be empty. What is atomic has nothing below it: it is emptied.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.field_set import FieldSet, is_field
from podward.schema.apply.types import ListType, MapType, Type, form, step_to


def removed(kind: Type, value: JsonObject, gone: FieldSet) -> JsonObject:
    """The object without the fields of this set; it shares what stays with the given one."""
    found = _removed(kind, value, gone) if gone else value
    return found if isinstance(found, dict) else {}


def _removed(kind: Type | None, value: Json, gone: FieldSet) -> Json:
    if kind is None:
        return value
    found = form(kind, value)
    if isinstance(found, MapType) and isinstance(value, dict):
        return {} if found.atomic else _map(found, value, gone)
    if isinstance(found, ListType) and isinstance(value, list):
        return [] if found.atomic else _list(found, value, gone)
    return value if isinstance(found, str) else None


def _map(kind: MapType, value: JsonObject, gone: FieldSet) -> JsonObject:
    left: JsonObject = {}
    for name, item in value.items():
        node = gone.get(f"f:{name}")
        if node is None:
            left[name] = item
        elif not is_field(node):
            left[name] = _removed(kind.fields.get(name) or kind.element, item, node)
    return left


def _list(kind: ListType, value: list[Json], gone: FieldSet) -> list[Json]:
    left: list[Json] = []
    for item in value:
        node = gone.get(step_to(kind, item))
        if node is None:
            left.append(item)
        elif not is_field(node):
            left.append(_removed(kind.item, item, node))
    return left
