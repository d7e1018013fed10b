"""PriorityClasses.

Specification: Kubernetes, ValidatePriorityClass and its update, IsKnownSystemPriorityClass, the strategy in
pkg/registry/scheduling/priorityclass. Names with `system-` are the server's own two classes; the priority of any other
is at most a billion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import changes, first_generation, in_order
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, ROOT, forbidden, invalid_value, required, unsupported
from podward.schema.validation.raw import number, pointer, text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_PREFIX, _HIGHEST = "system-", 1_000_000_000
_SYSTEM = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
_POLICIES = ("PreemptLowerPriority", "Never")


def _class(obj: JsonObject) -> Decision:
    name, found = text(member(obj, "metadata"), "name"), NOTHING
    if name.startswith(_PREFIX):
        fault = _system_fault(name, obj)
        if fault:
            detail = f"priority class names with '{_PREFIX}' prefix are reserved for system use only. error: {fault}"
            found = forbidden(ROOT / "metadata" / "name", detail)
    elif number(obj, "value") > _HIGHEST:
        found = forbidden(ROOT / "value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
    policy = pointer(obj, "preemptionPolicy")
    if policy is None or policy in _POLICIES:
        return found
    at = ROOT / "preemptionPolicy"
    return found + (unsupported(at, policy, _POLICIES) if policy else required(at))


def _system_fault(name: str, obj: JsonObject) -> str:
    if name not in _SYSTEM:
        return f"{name} is not a known system priority class"
    if number(obj, "value") != _SYSTEM[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""


def _fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found = NOTHING
    if number(obj, "value") != number(old, "value"):
        found = forbidden(ROOT / "value", "may not be changed in an update.")
    policy = obj.get("preemptionPolicy")
    if policy != old.get("preemptionPolicy"):
        found += invalid_value(ROOT / "preemptionPolicy", policy, "field is immutable")
    return found


PRIORITY_CLASS = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _class),
    validate_update=changes(object_meta.changed, _fixed),
    prepare_for_create=first_generation,
    namespaced=False,
)
