"""Defaults in schemas of custom resources: nothing in them would be left out, and they are valid themselves.

Specification: Kubernetes, apiextensions-apiserver pkg/apiserver/schema/defaulting ValidateDefaults. Those inside of
what every object has are not pruned; whether they make sound metadata is not asked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key
from podward.schema.custom_objects.pruning import pruned_object
from podward.schema.validation.field import Place, invalid_value, refused

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_META = frozenset(("metadata", "kind", "apiVersion"))
_EMBEDDED = "x-kubernetes-embedded-resource"


def check(schema: JsonObject, at: Place) -> Decision:
    """What is wrong with all defaults of a whole schema."""
    return merge(*_check(schema, at, embedded=True, meta=False))


def _check(schema: JsonObject, at: Place, *, embedded: bool, meta: bool) -> list[Decision]:
    """`embedded`: values are objects of the API; `meta`: they are what every such object has."""
    found: list[Decision] = []
    value = schema.get("default")
    if value is not None:
        if not meta and _is_pruned(value, schema):
            found.append(invalid_value(at / "default", value, "must not have unknown fields"))
        found.append(_valid(value, schema, at / "default"))
    items = schema.get("items")
    if isinstance(items, dict):
        found += _check(items, at / "items", embedded=items.get(_EMBEDDED) is True, meta=meta)
    for name, inner in sorted(member(schema, "properties").items()):
        if isinstance(inner, dict):
            of_object = inner.get(_EMBEDDED) is True
            inside = (meta or (embedded and name in _META)) and not of_object
            found += _check(inner, at / "properties" / Key(name), embedded=of_object, meta=inside)
    return found


def _is_pruned(value: Json, schema: JsonObject) -> bool:
    """Whether something would be left out of the value."""
    holder, _ = pruned_object({"value": value}, {"properties": {"value": schema}})
    return holder.get("value") != value


def _valid(value: Json, schema: JsonObject, at: Place) -> Decision:
    from podward.schema.custom_objects.matching import faults_of  # which needs a library, as do rules

    faults = faults_of(value, schema)
    if not faults and schema.get("x-kubernetes-validations"):
        from podward.schema.custom_objects.rules import Rules

        rules, place = Rules(schema, whole=False), str(at.path)
        faults = rules.asked(value, value, place).faults or rules.asked(value, None, place).faults
        return merge(*[refused(at.path, None, (error,)) for _, error in faults])
    placed = [(at.path / place if place and place != "<nil>" else at.path, error) for place, error in faults]
    return merge(*[refused(path, None, (error,)) for path, error in placed])
