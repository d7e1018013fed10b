"""Lists that are sets or maps: nothing stands in them twice.

Specification: apiextensions-apiserver pkg/apiserver/schema/listtype.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.schema.custom_objects.matching import Fault, shown
from podward.schema.validation.internal import go_json
from podward.schema.validation.raw import texts


def twice(value: Json, schema: Json, at: str = "") -> list[Fault]:
    """What stands twice in a set, or under the same keys of a map."""
    if not isinstance(schema, dict):
        return []
    found: list[Fault] = []
    if isinstance(value, list):
        keys = texts(schema, "x-kubernetes-list-map-keys")
        sort, seen = schema.get("x-kubernetes-list-type"), set[str]()
        odd = next((index for index, item in enumerate(value) if not isinstance(item, dict | None)), None)
        if sort == "map" and odd is not None:
            told = f"Invalid value: {shown(value[odd])}: must be an object for an array of list-type map"
            return [(f"{at}[{odd}]", told)]
        for index, item in enumerate(value):
            if sort in ("set", "map"):
                key = go_json(_key(item, keys) if sort == "map" else item)
                if key in seen:
                    found.append((f"{at}[{index}]", f"Duplicate value: {key}"))
                seen.add(key)
            found += twice(item, schema.get("items"), f"{at}[{index}]")
    elif isinstance(value, dict):
        properties, others = member(schema, "properties"), schema.get("additionalProperties")
        for name, field in value.items():
            if name in properties:
                found += twice(field, properties[name], f"{at}.{name}" if at else name)
            else:
                found += twice(field, others, f"{at}[{name}]")
    return found


def _key(item: Json, keys: list[str]) -> Json:
    made: JsonObject = {name: item[name] for name in sorted(keys) if name in item} if isinstance(item, dict) else {}
    return made
