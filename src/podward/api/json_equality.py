"""Whether JSON values are equal; Python takes 1 and true for equal."""

from __future__ import annotations

from podward.api.json_value import Json


def same(one: Json, other: Json) -> bool:
    """Whether two values are equal: 1 and 1.0 are, 1 and true are not."""
    if one != other:
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return all(same(item, other[name]) for name, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool)
