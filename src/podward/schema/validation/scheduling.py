"""What holds a Pod back, orders it, groups it with others or lets it onto a node; and the names it goes by.

Specification: Kubernetes without TaintTolerationComparisonOperators, ValidatePodSpec: scheduling gates, scheduling
group, preemption, ValidateTolerations, validatePodHostName (HostnameOverride). Without a key a toleration's operator is
Exists; a time limit is for NoExecute only.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation import labels
from podward.schema.validation.field import (
    NOTHING,
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
from podward.schema.validation.names import subdomain, subdomain_faults
from podward.schema.validation.raw import pointer, text
from podward.schema.validation.walk import Scope

_PREEMPTION = ("PreemptLowerPriority", "Never")
_LONGEST_HOSTNAME = 64
_OPERATORS = ("Equal", "Exists")
_COMPARING = ("Lt", "Gt")


def gates(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `schedulingGates`: each once."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, gate in enumerate(objects(spec, "schedulingGates")):
        name, place = text(gate, "name"), at / "schedulingGates" / index
        found.append(labels.key(name, place))
        if name in seen:
            found.append(duplicate(place, name))
        seen.add(name)
    return merge(*found)


def bound_and_gated(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A new Pod isn't bound to a node while gates hold it back."""
    if not spec.get("nodeName") or not spec.get("schedulingGates"):
        return NOTHING
    return forbidden(at / "nodeName", "cannot be set until all schedulingGates have been cleared")


def account(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's service account by the field's old name, which the server takes where the new one is missing."""
    name = text(spec, "serviceAccount") if not spec.get("serviceAccountName") else ""
    return subdomain(name, at / "serviceAccountName") if name else NOTHING


def preemption(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `preemptionPolicy`."""
    policy, place = pointer(spec, "preemptionPolicy"), at / "preemptionPolicy"
    if policy is None or policy in _PREEMPTION:
        return NOTHING
    return unsupported(place, policy, _PREEMPTION) if policy else required(place)


def group(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `schedulingGroup`."""
    name, place = pointer(member(spec, "schedulingGroup"), "podGroupName"), at / "schedulingGroup" / "podGroupName"
    if name is None:
        return invalid_value(place, None, "must specify one of: `podGroupName`")
    return each(place, name, subdomain_faults(name))


def hostname_override(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `hostnameOverride`."""
    name, place = text(spec, "hostnameOverride"), at / "hostnameOverride"
    found: list[Decision] = []
    if spec.get("setHostnameAsFQDN") is True:
        found.append(forbidden(place, "may not be specified when setHostnameAsFQDN is true"))
    if spec.get("hostNetwork") is True:
        found.append(forbidden(place, "may not be specified when hostNetwork is true"))
    if len(name.encode()) > _LONGEST_HOSTNAME:
        found.append(too_long(place, name, _LONGEST_HOSTNAME))
    return merge(*found, subdomain(name, place))


# --- tolerations ------------------------------------------------------------------------------------------------------


def tolerates_everything(toleration: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What a toleration without a key must be."""
    operator = text(toleration, "operator")
    if toleration.get("key") or operator == "Exists":
        return NOTHING
    detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    return invalid_value(at / "operator", operator, detail)


def tolerates_for_a_time(toleration: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What a toleration with a time limit must be."""
    effect = text(toleration, "effect")
    detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
    return NOTHING if effect == "NoExecute" else invalid_value(at / "effect", effect, detail)


def tolerated_value(toleration: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A toleration's operator, and the value that it has then; both are printed at the operator."""
    operator, value, place = text(toleration, "operator"), text(toleration, "value"), at / "operator"
    if operator in {"Equal", ""}:
        faults = labels.value_faults(value)
        return invalid(place, value, ";".join(faults)) if faults else NOTHING
    if operator == "Exists":
        return invalid(place, value, "value must be empty when `operator` is 'Exists'") if value else NOTHING
    return unsupported(place, operator, (*_OPERATORS, *_COMPARING) if operator in _COMPARING else _OPERATORS)
