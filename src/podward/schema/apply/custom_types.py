"""The type of a custom resource's version, made of its structural schema.

Specification: apiextensions-apiserver, pkg/controller/openapi/builder, which adds apiVersion, kind and metadata, and
kube-openapi's schemaconv. Without a schema, or where unknown fields are preserved, the form of a value decides.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.builtin_types import builtin
from podward.schema.apply.types import ATOMIC, BOOLEAN, DEDUCED, NUMERIC, STRING, UNTYPED, ListType, MapType, Type

_SCALARS = {"integer": NUMERIC, "number": NUMERIC, "boolean": BOOLEAN}
_PLAIN_FORMATS = ("", "byte")


def custom(schema: JsonObject | None) -> Type:
    """The type of objects of this schema; None is no schema."""
    root = Type(map=MapType({}, DEDUCED)) if schema is None else _type(schema, preserved=False)
    found = root.map or MapType({}, DEDUCED)
    fields = {**found.fields, **_OBJECT_FIELDS, "metadata": builtin("ObjectMeta")}
    return Type(map=MapType(fields, found.element, atomic=found.atomic))


_OBJECT_FIELDS = {"apiVersion": STRING, "kind": STRING}


def _type(schema: JsonObject, *, preserved: bool) -> Type:
    """The type of a value with this schema; `preserved`: a schema around it keeps unknown fields."""
    preserved = preserved or schema.get("x-kubernetes-preserve-unknown-fields") is True
    sort = schema.get("type")
    if schema.get("x-kubernetes-int-or-string") is True:
        return UNTYPED
    if sort == "array":
        return Type(list=_list(schema, preserved=preserved))
    if sort == "object":
        return Type(map=_map(schema, preserved=preserved))
    if sort == "string":
        return STRING if (schema.get("format") or "") in _PLAIN_FORMATS else UNTYPED
    if isinstance(sort, str) and sort:
        return _SCALARS.get(sort, UNTYPED)
    return Type("untyped", _map(schema, preserved=preserved), _list(schema, preserved=preserved))


def _map(schema: JsonObject, *, preserved: bool) -> MapType:
    properties, others = schema.get("properties"), schema.get("additionalProperties")
    fields = {
        name: _type(item if isinstance(item, dict) else {}, preserved=preserved)
        for name, item in (properties if isinstance(properties, dict) else {}).items()
    }
    if schema.get("x-kubernetes-embedded-resource") is True:
        fields = {**fields, **_OBJECT_FIELDS, "metadata": builtin("ObjectMeta")}
    element: Type | None = None
    if isinstance(others, dict):
        element = _type(others, preserved=preserved)
    elif others is True or (others is None and (preserved or not fields)):
        element = DEDUCED
    return MapType(fields, element, atomic=schema.get("x-kubernetes-map-type") == "atomic")


def _list(schema: JsonObject, *, preserved: bool) -> ListType:
    items = schema.get("items")
    item = _type(items, preserved=preserved) if isinstance(items, dict) else ATOMIC
    sort = schema.get("x-kubernetes-list-type")
    if sort not in ("map", "set"):
        return ListType(item)
    if sort == "set":
        return ListType(item, atomic=False)
    named = schema.get("x-kubernetes-list-map-keys")
    declared = tuple(key for key in named if isinstance(key, str)) if isinstance(named, list) else ()
    defaults = _defaults(items if isinstance(items, dict) else {}, declared)
    return ListType(item, atomic=False, keys=tuple(sorted(declared)), declared=declared, defaults=defaults)


def _defaults(items: JsonObject, keys: tuple[str, ...]) -> dict[str, Json]:
    properties = items.get("properties")
    found: dict[str, Json] = {}
    for key in keys:
        schema = properties.get(key) if isinstance(properties, dict) else None
        if isinstance(schema, dict) and "default" in schema:
            found[key] = schema["default"]
    return found
