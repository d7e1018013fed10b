"""A custom object with the defaults of its schema.

Specification: apiextensions-apiserver pkg/apiserver/schema/defaulting: a field that is missing, or null where it may
not be, gets its default; a null that may not be and has no default goes.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject


def with_defaults(value: Json, schema: Json) -> Json:
    """The value with its defaults; the same one where nothing is missing."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return _items(value, schema.get("items"))
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties")
    known: JsonObject = properties if isinstance(properties, dict) else {}
    others = schema.get("additionalProperties")
    made = dict(value)
    for name, field in known.items():
        if name not in made and isinstance(field, dict) and field.get("default") is not None:
            made[name] = field["default"]
    for name, field in list(made.items()):
        of = known.get(name, others)
        if field is None and isinstance(of, dict) and not of.get("nullable"):
            field = of.get("default")  # noqa: PLW2901 - the same field
            if field is None:
                del made[name]
                continue
        made[name] = with_defaults(field, of)
    return made if made != value else value


def object_with_defaults(obj: JsonObject, schema: JsonObject | None) -> JsonObject:
    """The object with its defaults."""
    found = with_defaults(obj, schema)
    return found if isinstance(found, dict) else obj


def _items(value: list[Json], items: Json) -> list[Json]:
    if not isinstance(items, dict):
        return value
    default, needed = items.get("default"), not items.get("nullable")
    made = [with_defaults(default if item is None and needed else item, items) for item in value]
    return made if made != value else value
