"""When two values are the same to the API server.

Specification: Kubernetes, apiequality.Semantic: a list or map that is empty is the same as none. Objects are decoded:
what is 0, false or empty where Go has no pointer is left out, quantities and times are in their canonical form.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject

_NO_LIST: tuple[Json, ...] = (None, [])
_MAPS = frozenset(
    ("labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "hard", "overhead", "data",
     "binaryData", "capacity", "parameters", "options", "volumeAttributes", "selector")
)  # fmt: skip


def same(one: Json, other: Json) -> bool:
    """Whether the server would tell them apart."""
    if one == other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return all(_same_field(name, one.get(name), other.get(name)) for name in one.keys() | other.keys())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one in _NO_LIST and other in _NO_LIST


def _same_field(name: str, one: Json, other: Json) -> bool:
    if name in _MAPS and not one and not other:
        return True
    return same(one, other)


def same_but(one: JsonObject, other: JsonObject, *left_out: str) -> bool:
    """Whether two objects are the same but for these fields."""
    names = (one.keys() | other.keys()).difference(left_out)
    return all(_same_field(name, one.get(name), other.get(name)) for name in names)
