"""A JSON merge patch applied to an object.

Specification: RFC 7386, as gopkg.in/evanphx/json-patch.v4 reads it: objects are merged, null takes a field away,
anything else replaces. Of what is new, nulls are left out, also those of objects in lists.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject


def merge_patched(value: JsonObject, patch: JsonObject) -> JsonObject:
    """The patched object. The given ones are not changed; what is unchanged is shared."""
    merged = dict(value)
    for name, item in patch.items():
        if item is None:
            merged.pop(name, None)
            continue
        old = merged.get(name)
        if isinstance(old, dict) and isinstance(item, dict):
            merged[name] = merge_patched(old, item)
        else:
            merged[name] = item if isinstance(old, dict) else _without_nulls(item)
    return merged


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
