"""StorageClasses, VolumeAttributesClasses, CSIStorageCapacities.

Specification: Kubernetes, pkg/apis/storage/validation and the strategies in pkg/registry/storage. What a class makes
volumes with does not change; where they can be, and whether they grow, may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import changes, in_order
from podward.schema.strategies.selectors import shown
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope
from podward.schema.warnings.scheduling import OLD_NODE_LABELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from podward.api.json_value import JsonObject

_MOST, _LARGEST = 512, 256 * 1024
_POLICIES, _MODES = ("Delete", "Retain"), ("Immediate", "WaitForFirstConsumer")
_FIXED = "field is immutable"
_POINTERS = ("reclaimPolicy", "volumeBindingMode")


def _provisioner(name: str, at: Place) -> Decision:
    return each(at, name, key_faults(name.lower())) if name else required(at)


def _parameters(obj: JsonObject, at: Place, *, may_be_empty: bool) -> Decision:
    parameters = member(obj, "parameters")
    if len(parameters) > _MOST:
        return too_long(at, "", _MOST)
    found = [invalid(at, "", "field can not be empty.")] if "" in parameters else []
    if sum(len(f"{name}{value}".encode()) for name, value in parameters.items()) > _LARGEST:
        found.append(too_long(at, "", _LARGEST))
    if not parameters and not may_be_empty:
        found.append(required(at, "must contain at least one key/value pair"))
    return merge(*found)


def _class(obj: JsonObject) -> Decision:
    found = [_provisioner(text(obj, "provisioner"), ROOT / "provisioner")]
    found.append(_parameters(obj, ROOT / "parameters", may_be_empty=True))
    policy, mode = pointer(obj, "reclaimPolicy"), pointer(obj, "volumeBindingMode")
    if policy and policy not in _POLICIES:
        found.append(unsupported(ROOT / "reclaimPolicy", policy, _POLICIES))
    if mode is None:
        found.append(required(ROOT / "volumeBindingMode"))
    elif mode not in _MODES:
        found.append(unsupported(ROOT / "volumeBindingMode", mode, _MODES))
    return merge(*found, _topologies(obj))


def _topologies(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    terms = objects(obj, "allowedTopologies")
    seen: list[Mapping[str, frozenset[str]]] = [{} for _ in terms]  # as the server has it: an empty term stands twice
    for index, term in enumerate(terms):
        place, values = ROOT / "allowedTopologies" / index / "matchLabelExpressions", {}
        for number, requirement in enumerate(objects(term, "matchLabelExpressions")):
            key = text(requirement, "key")
            found.append(_requirement(requirement, place / number))
            if key in values:
                found.append(duplicate(place / number / "key", key))
            values[key] = frozenset(texts(requirement, "values"))
        found += [duplicate(place, "") for other in seen if other == values]
        seen.append(values)
    return merge(*found)


def _requirement(requirement: JsonObject, at: Place) -> Decision:
    values, key = texts(requirement, "values"), text(requirement, "key")
    found = [] if values else [required(at / "values")]
    for index, value in enumerate(values):
        if value in values[:index]:
            found.append(duplicate(at / "values" / index, value))
    return merge(*found, each(at / "key", key, key_faults(key)))


def _class_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found: list[Decision] = []
    if not same(member(obj, "parameters"), member(old, "parameters")):
        value = dict(sorted(member(obj, "parameters").items())) if obj.get("parameters") is not None else None
        found.append(invalid_value(ROOT / "parameters", value, _FIXED))
    if text(obj, "provisioner") != text(old, "provisioner"):
        found.append(invalid(ROOT / "provisioner", text(obj, "provisioner"), _FIXED))
    changed = [name for name in _POINTERS if obj.get(name) != old.get(name)]
    return merge(*found, *[invalid_value(ROOT / name, obj.get(name), _FIXED) for name in changed])


def _class_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    found: list[str] = []
    for index, term in enumerate(objects(obj, "allowedTopologies")):
        for number, requirement in enumerate(objects(term, "matchLabelExpressions")):
            key = text(requirement, "key")
            if key in OLD_NODE_LABELS:
                place = f"allowedTopologies[{index}].matchLabelExpressions[{number}].key"
                found.append(f"{place}: {key} is {OLD_NODE_LABELS[key]}")
    return tuple(found)


_NEW_CLASS = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _class)
STORAGE_CLASS = Strategy(
    validate=_NEW_CLASS,
    validate_update=changes(lambda obj, _old: _NEW_CLASS(obj), object_meta.changed, _class_fixed),
    warnings=_class_warnings,
    namespaced=False,
)


# --- classes of attributes --------------------------------------------------------------------------------------------


def _attributes(obj: JsonObject) -> Decision:
    found = _provisioner(text(obj, "driverName"), ROOT / "driverName")
    return found + _parameters(obj, ROOT / "parameters", may_be_empty=False)


def _attributes_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found = NOTHING
    if text(obj, "driverName") != text(old, "driverName"):
        found = forbidden(ROOT / "driverName", "updates to driverName are forbidden.")
    if member(obj, "parameters") != member(old, "parameters"):
        found += forbidden(ROOT / "parameters", "updates to parameters are forbidden.")
    return found


_NEW_ATTRIBUTES = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _attributes)
VOLUME_ATTRIBUTES_CLASS = Strategy(
    validate=_NEW_ATTRIBUTES,
    validate_update=changes(object_meta.changed, _attributes_fixed, lambda obj, _old: _NEW_ATTRIBUTES(obj)),
    namespaced=False,
)


# --- capacities -------------------------------------------------------------------------------------------------------


def _capacity(obj: JsonObject) -> Decision:
    found, topology, name = [], obj.get("nodeTopology"), text(obj, "storageClassName")
    if isinstance(topology, dict):
        found.append(WALKS["LabelSelector"](topology, Scope(WALKS, "", obj), ROOT / "nodeTopology"))
    found.append(each(ROOT / "storageClassName", name, subdomain_faults(name)))
    written = obj.get("capacity")
    if written is not None:
        amount = parse(str(written))
        if amount.units < 0:
            found.append(invalid(ROOT / "capacity", str(amount), "must be greater than or equal to 0"))
    return merge(*found)


def _capacity_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found, topology, name = NOTHING, obj.get("nodeTopology"), text(obj, "storageClassName")
    if not same(topology, old.get("nodeTopology")):
        found = invalid_value(ROOT / "nodeTopology", shown(topology), _FIXED)
    return found if name == text(old, "storageClassName") else found + invalid(ROOT / "storageClassName", name, _FIXED)


_NEW_CAPACITY = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _capacity)
STORAGE_CAPACITY = Strategy(
    validate=_NEW_CAPACITY,
    validate_update=changes(lambda obj, _old: _NEW_CAPACITY(obj), object_meta.changed, _capacity_fixed),
    allow_unconditional_update=False,
)
