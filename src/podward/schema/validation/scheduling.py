"""What holds a Pod back, orders it, or groups it with others; and the names it goes by.

Specification: Kubernetes, ValidatePodSpec: readiness gates, scheduling gates, scheduling group, preemption,
validatePodHostName (HostnameOverride).
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation import labels
from podward.schema.validation.field import (
    duplicate,
    each,
    forbidden,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.names import subdomain, subdomain_faults
from podward.schema.validation.raw import pointer, text

_PREEMPTION = ("PreemptLowerPriority", "Never")
_LONGEST_HOSTNAME = 64


def readiness_gates(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `readinessGates`."""
    gates = objects(spec, "readinessGates")
    return merge(
        *(labels.key(text(gate, "conditionType"), at / index / "conditionType") for index, gate in enumerate(gates))
    )


def scheduling_gates(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `schedulingGates`: each once."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, gate in enumerate(objects(spec, "schedulingGates")):
        name = text(gate, "name")
        found.append(labels.key(name, at / index))
        if name in seen:
            found.append(duplicate(at / index, name))
        seen.add(name)
    return merge(*found)


def bound_and_gated(spec: JsonObject, at: Path) -> Decision:
    """A new Pod isn't bound to a node while gates hold it back; `at` is the spec."""
    if not text(spec, "nodeName") or not objects(spec, "schedulingGates"):
        return Decision()
    return forbidden(at / "nodeName", "cannot be set until all schedulingGates have been cleared")


def preemption(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `preemptionPolicy`."""
    policy = pointer(spec, "preemptionPolicy")
    if policy is None or policy in _PREEMPTION:
        return Decision()
    return unsupported(at, policy, _PREEMPTION) if policy else required(at)


def group(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `schedulingGroup`."""
    name = pointer(member(spec, "schedulingGroup"), "podGroupName")
    if name is None:
        return invalid_value(at / "podGroupName", None, "must specify one of: `podGroupName`")
    return each(at / "podGroupName", name, subdomain_faults(name))


def hostname_override(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `hostnameOverride`."""
    name = pointer(spec, "hostnameOverride")
    if name is None:
        return Decision()
    found: list[Decision] = []
    if spec.get("setHostnameAsFQDN") is True:
        found.append(forbidden(at, "may not be specified when setHostnameAsFQDN is true"))
    if spec.get("hostNetwork") is True:
        found.append(forbidden(at, "may not be specified when hostNetwork is true"))
    if len(name.encode()) > _LONGEST_HOSTNAME:
        found.append(too_long(at, name, _LONGEST_HOSTNAME))
    return merge(*found, subdomain(name, at))
