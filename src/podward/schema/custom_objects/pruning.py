"""What of a custom object its schema knows, and the places of what it does not.

Specification: apiextensions-apiserver pkg/apiserver/schema/pruning. Every object has a version, a kind and metadata;
where unknown fields are preserved, those that are known are still pruned inside.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject

_OF_OBJECTS = frozenset(("apiVersion", "kind", "metadata"))
_KEEPS, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"


def pruned_object(obj: JsonObject, schema: JsonObject | None) -> tuple[JsonObject, list[str]]:
    """The object without what the schema does not know, and the places of that; without a schema all of it."""
    if schema is None:
        return obj, []
    gone: list[str] = []
    made = _pruned(obj, {**schema, _EMBEDDED: True}, "", gone, keeps=schema.get(_KEEPS) is True)
    return (made, gone) if isinstance(made, dict) else (obj, gone)


def _pruned(value: Json, schema: JsonObject | None, at: str, gone: list[str], *, keeps: bool) -> Json:
    if isinstance(value, list):
        items = _schema(schema, "items")
        inside = keeps or (items or {}).get(_KEEPS) is True
        return [_pruned(item, items, f"{at}[{index}]", gone, keeps=inside) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, others = _schema(schema, "properties") or {}, (schema or {}).get("additionalProperties")
    made: JsonObject = {}
    for name, field in value.items():
        place = f"{at}.{name}" if at else name
        known = properties.get(name)
        if name in _OF_OBJECTS and schema is not None and schema.get(_EMBEDDED) is True:
            made[name] = field
        elif isinstance(known, dict):
            made[name] = _pruned(field, known, place, gone, keeps=known.get(_KEEPS) is True)
        elif others is not None and others is not False:
            below = others if isinstance(others, dict) else None
            made[name] = _pruned(field, below, place, gone, keeps=(below or {}).get(_KEEPS) is True)
        elif keeps:
            made[name] = field
        else:
            gone.append(place)
    return made


def _schema(of: JsonObject | None, name: str) -> JsonObject | None:
    found = (of or {}).get(name)
    return found if isinstance(found, dict) else None
