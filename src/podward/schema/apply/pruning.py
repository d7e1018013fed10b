"""What an applier applied before and leaves out now goes, unless somebody else owns it.

Specification: structured-merge-diff v6, merge/update.go, prune: the fields of its last set are taken out of the merged
object; those that any manager owns now come back, and those that went with a parent although they were not in that set.
Fields count as owned with what is in them: the named fields above a field of a set are members of it here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from podward.api.json_value import JsonObject
from podward.schema.apply.field_set import FieldSet, as_field, difference, intersection, union
from podward.schema.apply.managers import Managers, Owned
from podward.schema.apply.ownership import owned
from podward.schema.apply.removing import removed
from podward.schema.apply.types import Type


class Conversion(Protocol):
    """The versions of a kind: their types, and how an object becomes one of another version."""

    @property
    def types(self) -> Mapping[str, Type]:
        """The type of each version."""
        ...

    @property
    def convert(self) -> Callable[[JsonObject, str], JsonObject]:
        """How an object is converted to a version."""
        ...


def pruned(versions: Conversion, new: JsonObject, last: Owned, managers: Managers, api_version: str) -> JsonObject:
    """The merged object without what its applier has let go of; `last` is what that owned before."""
    kind = versions.types[last.api_version]
    whole = _at(versions, new, last.api_version)
    left = removed(kind, whole, named(kind, last.fields))
    by_version: dict[str, FieldSet] = {last.api_version: {}}
    for each in managers.values():
        by_version[each.api_version] = union(by_version.get(each.api_version, {}), each.fields)
    for version, fields in by_version.items():
        left = _with_owned(versions, whole, left, version, fields)
    left = _at(versions, left, last.api_version)
    gone = difference(named(kind, owned(kind, whole)), named(kind, owned(kind, left)))
    return _at(versions, removed(kind, whole, intersection(gone, named(kind, last.fields))), api_version)


def _with_owned(
    versions: Conversion, whole: JsonObject, left: JsonObject, version: str, fields: FieldSet
) -> JsonObject:
    """What is left, and those fields of the whole that a manager owns."""
    kind = versions.types[version]
    whole, left = _at(versions, whole, version), _at(versions, left, version)
    kept = union(named(kind, owned(kind, left)), named(kind, fields))
    return removed(kind, whole, difference(named(kind, owned(kind, whole)), kept))


def _at(versions: Conversion, value: JsonObject, version: str) -> JsonObject:
    return value if value.get("apiVersion") == version else versions.convert(value, version)


def named(kind: Type | None, fields: FieldSet) -> FieldSet:
    """The set, with the named fields of objects that have fields of it below them."""
    found: FieldSet = {}
    for step, node in fields.items():
        if not node:
            found[step] = node
            continue
        below, declared = _below(kind, step)
        node = named(below, node)  # noqa: PLW2901 - the same node
        found[step] = as_field(node) if declared else node
    return found


def _below(kind: Type | None, step: str) -> tuple[Type | None, bool]:
    """The type of what a step leads to, and whether it is a named field."""
    if kind is not None and step.startswith("f:") and kind.map is not None:
        declared = kind.map.fields.get(step[2:])
        return declared or kind.map.element, declared is not None
    if kind is not None and step.startswith("k:") and kind.list is not None:
        return kind.list.item, False
    return None, False
