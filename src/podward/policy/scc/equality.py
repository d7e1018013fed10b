"""Whether two documents say the same: what counts as a change of a Pod.

Specification: k8s.io/kubernetes pkg/apis/core/helper Semantic.DeepEqual, as far as it can be seen on
the documents: absent, null, and an empty list or map are the same; so are objects that Go holds by value and that are
empty or absent. Quantities and times are compared as they are written, `0`, `""` and `false` differ from absent, and
fields that nobody knows count: where this sees a change that Kubernetes does not see, the Pod is decided once more.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.table import TYPES

_BY_VALUE = frozenset(("ContainerState", "ObjectMeta", "PodSecurityContext", "PodSpec", "PodStatus"))
_BY_VALUE_IN_CONTAINERS = "ResourceRequirements"


def same(one: Json, other: Json, code: str) -> bool:
    """Whether two values of the type `code` (of `podward.schema.table`) mean the same."""
    if one is other or (one is not None and one == other):
        return True
    if code[:1] == "[":
        return _same_lists(one, other, code[1:])
    if code[:1] == "{":
        return _same_maps(one, other)
    if code in _BY_VALUE or code == _BY_VALUE_IN_CONTAINERS:
        one, other = {} if one is None else one, {} if other is None else other
    if isinstance(one, dict) and isinstance(other, dict) and code in TYPES:
        return same_but(one, other, code, ())
    return False


def same_but(one: JsonObject, other: JsonObject, code: str, ignored: tuple[str, ...]) -> bool:
    """Whether two objects of the type `code` mean the same but for the fields `ignored`."""
    types = TYPES[code]
    return all(
        same(one.get(name), other.get(name), types.get(name, ""))
        for name in one.keys() | other.keys()
        if name not in ignored
    )


def _same_lists(one: Json, other: Json, code: str) -> bool:
    first, second = one or [], other or []
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        return False
    return all(same(mine, theirs, code) for mine, theirs in zip(first, second, strict=True))


def _same_maps(one: Json, other: Json) -> bool:
    """Maps hold scalars; a key with null is a key with its type's zero value, and compares as what is written."""
    return (one or {}) == (other or {})
