"""RuntimeClass: a Pod of a class has its overhead, and goes where it is supported.

Specification: Kubernetes, plugin/pkg/admission/runtimeclass.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.stages.admission.served_facts import Served, refused
from podward.stages.admission.tolerations import merged

_WITHOUT_CLASS = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod as its class wants it."""
    spec = member(obj, "spec")
    name = spec.get("runtimeClassName")
    if not name:
        return refused(asked, obj, f"pod rejected: {_WITHOUT_CLASS}") if spec.get("overhead") else obj
    found = asked.objects.get("runtimeclasses", "", str(name))
    if found is None:
        return refused(asked, obj, f'pod rejected: RuntimeClass "{name}" not found')
    overhead, scheduling = member(member(found, "overhead"), "podFixed"), member(found, "scheduling")
    if spec.get("overhead") and not overhead:
        return refused(asked, obj, f"pod rejected: {_WITHOUT_CLASS}")
    if spec.get("overhead") and spec["overhead"] != overhead:
        return refused(asked, obj, _OVERHEAD)
    conflict = _conflict(member(spec, "nodeSelector"), member(scheduling, "nodeSelector"))
    if conflict:
        return refused(asked, obj, f"conflict: {conflict}")
    placed = _placed(spec, scheduling)
    return {**obj, "spec": {**placed, "overhead": overhead} if overhead else placed}


def _conflict(own: JsonObject, wanted: JsonObject) -> str:
    """Where the Pod and its class want different nodes."""
    for key, value in wanted.items():
        said = own.get(key, value)
        if said != value:
            return f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {said}"
    return ""


def _placed(spec: JsonObject, scheduling: JsonObject) -> JsonObject:
    """The spec with the nodes and the tolerations of the class, too."""
    made = dict(spec)
    if scheduling.get("nodeSelector"):
        made["nodeSelector"] = {**member(spec, "nodeSelector"), **member(scheduling, "nodeSelector")}
    more = objects(scheduling, "tolerations")
    if more:
        tolerations: list[Json] = [*merged([*objects(spec, "tolerations"), *more])]
        made["tolerations"] = tolerations
    return made
