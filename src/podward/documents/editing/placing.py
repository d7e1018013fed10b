"""Where a new field is put among those of its object: where a reader looks for it.

- Objects whose keys are in alphabetical order (three or more: exported by kubectl, made by Kustomize) keep that order.
- In a container, what is no list goes after `name`, `image` and `imagePullPolicy`.
- In a Pod's spec, what is no list goes before the containers, unless these come first.
- Everything else goes to the end.
"""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject

_HEAD = frozenset(("name", "image", "imagePullPolicy"))
_CONTAINERS = frozenset(("containers", "initContainers"))
_ENOUGH = 3  # keys: fewer are in order by chance


def placed(names: Sequence[str], new: JsonObject) -> dict[int, JsonObject]:
    """The fields of `new` by the index of the field of `names` that each is put before: below any `<<`."""
    least = max((index for index, name in enumerate(names) if name == "<<"), default=-1) + 1
    places: dict[int, JsonObject] = {}
    for name in sorted(new) if _is_sorted(names) else new:
        places.setdefault(max(_index(names, name, new[name]), least), {})[name] = new[name]
    return places


def _is_sorted(names: Sequence[str]) -> bool:
    by_chance = list(names[:2]) == ["apiVersion", "kind"]  # as everybody writes them
    return len(names) >= _ENOUGH and not by_chance and list(names) == sorted(names)


def _index(names: Sequence[str], name: str, value: Json) -> int:
    if _is_sorted(names):
        return bisect(names, name)
    if not isinstance(value, list):
        if "image" in names:
            return max(index for index, other in enumerate(names) if other in _HEAD) + 1
        first = min((index for index, other in enumerate(names) if other in _CONTAINERS), default=0)
        if first:
            return first
    return len(names)
