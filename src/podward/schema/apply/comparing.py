"""What differs between two objects: the fields that were removed, modified and added.

Specification: structured-merge-diff v6, typed Compare. Empty and absent containers are different values of a leaf;
items of a list that cannot be told apart are one field, which is modified if any of them is. A value whose form
changes is modified, and what is in it came or went.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api.json_equality import same
from podward.api.json_value import Json, JsonObject
from podward.schema.apply.field_set import FieldSet, joined
from podward.schema.apply.ownership import whole
from podward.schema.apply.types import Form, ListType, MapType, Type, form, grouped


class Comparison(Struct):
    """The fields in which a new object differs from an old one; no field is in two of them."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    def filtered(self, keep: Callable[[FieldSet], FieldSet]) -> Comparison:
        """What of it a filter keeps."""
        return Comparison(keep(self.removed), keep(self.modified), keep(self.added))


def compared(kind: Type, old: JsonObject, new: JsonObject) -> Comparison:
    """What is different in the new object."""
    removed, modified, added = _compared(kind, old, new) or (None, None, None)
    return Comparison(removed or {}, modified or {}, added or {})


_Nodes: TypeAlias = "tuple[FieldSet | None, FieldSet | None, FieldSet | None]"
"""The nodes of a place in the three sets."""


def _compared(kind: Type | None, old: Json, new: Json) -> _Nodes | None:
    """The nodes of these values; None where nothing differs."""
    if kind is None:
        return _leaf(old, new)
    before, after = form(kind, old), form(kind, new)
    found = _of_form(after, old, new)
    if before is after or before == after:
        return found
    other = _of_form(before, old, new)
    if found is None or other is None:
        return found or other
    return joined(found[0], other[0]), joined(found[1], other[1]), joined(found[2], other[2])


def _leaf(old: Json, new: Json) -> _Nodes | None:
    return None if same(old, new) else (None, {}, None)


def _of_form(kind: Form, old: Json, new: Json) -> _Nodes | None:
    if isinstance(kind, MapType):
        one, other = old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}
        return _leaf(old, new) if kind.atomic or not (one or other) else _maps(kind, one, other)
    if isinstance(kind, ListType):
        first, second = old if isinstance(old, list) else [], new if isinstance(new, list) else []
        return _leaf(old, new) if kind.atomic or not (first or second) else _lists(kind, first, second)
    return _leaf(old, new)


class _Building(Struct):
    """The nodes of a container, as they are found."""

    removed: FieldSet
    modified: FieldSet
    added: FieldSet

    def add(self, step: str, found: _Nodes | None) -> None:
        if found is None:
            return
        for node, where in zip(found, (self.removed, self.modified, self.added), strict=True):
            if node is not None:
                where[step] = node

    def nodes(self) -> _Nodes | None:
        found = self.removed or None, self.modified or None, self.added or None
        return found if any(found) else None


def _maps(kind: MapType, old: JsonObject, new: JsonObject) -> _Nodes | None:
    found = _Building({}, {}, {})
    types, element = kind.fields, kind.element
    for name, item in new.items():
        if name not in old:
            found.added[f"f:{name}"] = whole(types.get(name) or element, item)
            continue
        before = old[name]
        if before is not item and not (before == item and type(item) is str):
            found.add(f"f:{name}", _compared(types.get(name) or element, before, item))
    for name, item in old.items():
        if name not in new:
            found.removed[f"f:{name}"] = whole(types.get(name) or element, item)
    return found.nodes()


def _lists(kind: ListType, old: list[Json], new: list[Json]) -> _Nodes | None:
    found = _Building({}, {}, {})
    before, after = grouped(kind, old), grouped(kind, new)
    for step in before | after:
        one, other = before.get(step, []), after.get(step, [])
        if len(one) == 1 and len(other) == 1:
            found.add(step, _compared(kind.item, one[0], other[0]))
        elif len(one) > 1 and len(other) > 1:
            found.add(step, None if same(one, other) else (None, {}, None))
        else:
            found.add(step, (_side(kind, one), None, _side(kind, other)))
    return found.nodes()


def _side(kind: ListType, items: list[Json]) -> FieldSet | None:
    """The node of an item that is not on the other side, or that there is more than once on one side alone."""
    if not items:
        return None
    return whole(kind.item, items[0]) if len(items) == 1 else {}
