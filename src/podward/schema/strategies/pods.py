"""Pods: how they are made, changed, deleted, and bound to nodes.

Specification: Kubernetes, pkg/registry/core/pod strategy.go and storage, ValidatePodCreate, ValidatePodBinding. What a
new Pod may be is in `schema.validation`; what may change is in `pod_changes`, the status in `pod_status`, resizing in
`pod_resize`. A deletion waits for the node as long as the Pod says, unless there is no node, or nothing runs any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.decision import Decision
from podward.documents.patching import applied
from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema import warnings
from podward.schema.defaulting import decide_creation
from podward.schema.strategies import apparmor_annotations, ip, object_meta, pod_changes, pod_resize, pod_status
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import changes, keeping, raised
from podward.schema.strategies.pod_quality import quality
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, ROOT, refused, required
from podward.schema.validation.pod import errors
from podward.schema.validation.raw import number, text
from podward.schema.view import pod_view

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_KEEPING_STATUS = keeping("status")


def _new(obj: JsonObject) -> JsonObject:
    decision = decide_creation(obj)
    if decision.assignments:
        obj = applied(obj, decision)
    of, spec = member(obj, "metadata"), member(obj, "spec")
    status: JsonObject = {"phase": "Pending", "qosClass": quality(spec)}
    if spec.get("schedulingGates"):
        status["conditions"] = [_unscheduled(of.get("creationTimestamp"))]
    return {**obj, "metadata": {**of, "generation": 1}, "status": status}


def _unscheduled(since: Json) -> JsonObject:
    about: JsonObject = {"reason": "SchedulingGated", "message": _GATED}
    return {"type": "PodScheduled", "status": "False", "lastProbeTime": None, "lastTransitionTime": since, **about}


def _refused_new(obj: JsonObject) -> Decision:
    return errors(pod_view(obj), obj)


def _warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    return warnings.on_create(pod_view(obj), obj) if old is None else ()


def _change(obj: JsonObject, old: JsonObject) -> JsonObject:
    return _counted(_KEEPING_STATUS(obj, old), old)


def _counted(obj: JsonObject, old: JsonObject) -> JsonObject:
    """With the next generation, if the spec has changed."""
    return obj if same(obj.get("spec"), old.get("spec")) else raised(obj, old)


def grace(obj: JsonObject, asked: int | None) -> int:
    """For how many seconds a Pod is being deleted."""
    spec, phase = member(obj, "spec"), text(member(obj, "status"), "phase")
    period = number(spec, "terminationGracePeriodSeconds") if asked is None else asked
    if not text(spec, "nodeName") or phase in {"Failed", "Succeeded"}:
        period = 0
    return 1 if period < 0 else period


POD = Strategy(
    validate=_refused_new,
    validate_update=pod_changes.validate,
    prepare_for_create=_new,
    prepare_for_update=_change,
    warnings=_warnings,
    warnings_of_sent=apparmor_annotations.of_pod,
    grace=grace,
)


# --- status -----------------------------------------------------------------------------------------------------------


def _status(obj: JsonObject, old: JsonObject) -> JsonObject:
    of, before = dict(member(obj, "metadata")), member(old, "metadata")
    of.pop("deletionTimestamp", None)
    if before.get("ownerReferences") is None:
        of.pop("ownerReferences", None)
    else:
        of["ownerReferences"] = before["ownerReferences"]
    status = pod_status.with_generations(member(obj, "status"), member(old, "status"))
    if not status.get("qosClass") and member(old, "status").get("qosClass"):
        status = {**status, "qosClass": member(old, "status")["qosClass"]}
    made: JsonObject = {**obj, "metadata": of, "status": status}
    return keeping("spec")(made, old)


def _status_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    found: list[str] = []
    for name in ("podIPs", "hostIPs"):
        for index, each in enumerate(objects(member(obj, "status"), name)):
            found += ip.warned(text(each, "ip"), path("status", name, index, "ip"))
    return tuple(found)


POD_STATUS = Strategy(
    validate_update=changes(object_meta.changed, pod_changes.same_meaning, pod_status.validate),
    prepare_for_update=_status,
    warnings=_status_warnings,
)


# --- debugging and resizing -------------------------------------------------------------------------------------------


def _debugged(obj: JsonObject, old: JsonObject) -> JsonObject:
    """What is stored, with the ephemeral containers that are sent."""
    containers = member(obj, "spec").get("ephemeralContainers")
    made = object_meta.keeping_all_but_status(obj, old)
    spec: JsonObject = {name: value for name, value in member(old, "spec").items() if name != "ephemeralContainers"}
    if containers is not None:
        spec["ephemeralContainers"] = containers
    return _counted(_KEEPING_STATUS({**made, "spec": spec}, old), old)


POD_EPHEMERAL_CONTAINERS = Strategy(
    validate_update=pod_changes.validate_debugging,
    prepare_for_update=_debugged,
)


def _resized(obj: JsonObject, old: JsonObject) -> JsonObject:
    return _counted(pod_resize.prepared(obj, old), old)


POD_RESIZE = Strategy(
    validate_update=pod_resize.validate,
    prepare_for_update=_resized,
)


# --- binding ----------------------------------------------------------------------------------------------------------


def refused_binding(binding: JsonObject) -> Decision:
    """What is wrong with a Binding."""
    target, found = member(binding, "target"), NOTHING
    kind = text(target, "kind")
    if kind not in {"", "Node"}:
        sentence = f'Unsupported value: {quote(kind)}: supported values: "Node", "<empty>"'
        found = refused(ROOT / "target" / "kind", kind, (sentence,))
    return found if text(target, "name") else found + required(ROOT / "target" / "name")


def conflict_of_binding(pod: JsonObject) -> str:
    """Why a Pod cannot be bound to a node now; empty if it can."""
    of, spec = member(pod, "metadata"), member(pod, "spec")
    name, node = text(of, "name"), text(spec, "nodeName")
    if of.get("deletionTimestamp") is not None:
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if node:
        return f'pod {name} is already assigned to node "{node}"'
    return f"pod {name} has non-empty .spec.schedulingGates" if spec.get("schedulingGates") else ""


def bound(pod: JsonObject, binding: JsonObject, now: str) -> JsonObject:
    """The Pod on the node that the Binding says, with its labels and annotations, scheduled since `now`."""
    of, spec, sent = member(pod, "metadata"), member(pod, "spec"), member(binding, "metadata")
    about: JsonObject = dict(of)
    for name in ("labels", "annotations"):
        if sent.get(name):
            about[name] = {**member(of, name), **member(sent, name)}
    status: JsonObject = {n: value for n, value in member(pod, "status").items() if n != "nominatedNodeName"}
    status = pod_status.with_condition(status, {"type": "PodScheduled", "status": "True"}, now)
    node = text(member(binding, "target"), "name")
    return {**pod, "metadata": about, "spec": {**spec, "nodeName": node}, "status": status}


def evicted(pod: JsonObject, now: str) -> JsonObject:
    """The Pod as it is stored before it is deleted by an eviction."""
    about: JsonObject = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
    condition: JsonObject = {"type": "DisruptionTarget", "status": "True", **about}
    return {**pod, "status": pod_status.with_condition(member(pod, "status"), condition, now)}
