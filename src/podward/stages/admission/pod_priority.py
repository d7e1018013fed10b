"""Priority: a Pod has the priority of its class; without one, that of the only default class, or none.

Specification: Kubernetes, plugin/pkg/admission/priority.
"""

from __future__ import annotations

from podward.api.admission import Operation
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.stages.admission.served_facts import Served, refused

_FIELDS = ("priority", "preemptionPolicy")
_ALWAYS = "PreemptLowerPriority"


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with its priority. On an update that says none, it keeps the one that it has."""
    spec = member(obj, "spec")
    if asked.request.operation is Operation.UPDATE:
        old = member(asked.request.old_object or {}, "spec")
        kept: JsonObject = {
            name: old[name] for name in ("priority", "preemptionPolicy") if spec.get(name) is None and name in old
        }
        return {**obj, "spec": {**spec, **kept}} if kept else obj
    name = str(spec.get("priorityClassName") or "")
    found = asked.objects.get("priorityclasses", "", name) if name else _default(asked)
    if name and found is None:
        return refused(asked, obj, f"no PriorityClass with name {name} was found")
    value = (found or {}).get("value") or 0
    policy = str((found or {}).get("preemptionPolicy") or _ALWAYS)
    said = spec.get("priority")
    if said is not None and said != value:
        why = f"the integer value of priority ({said}) must not be provided in pod spec; priority admission controller"
        return refused(asked, obj, f"{why} computed {value} from the given PriorityClass name")
    said = spec.get("preemptionPolicy")
    if said is not None and said != policy:
        why = f"the string value of PreemptionPolicy ({said}) must not be provided in pod spec; priority admission"
        return refused(asked, obj, f"{why} controller computed {policy} from the given PriorityClass name")
    made: JsonObject = {**spec, "priority": value, "preemptionPolicy": policy}
    if not name and found is not None:
        made["priorityClassName"] = member(found, "metadata").get("name")
    return {**obj, "spec": made}


def validate(asked: Served, obj: JsonObject) -> Status | None:
    """Why this class may not be the default one."""
    if obj.get("globalDefault") is not True:
        return None
    found = _default(asked)
    if found is None:
        return None
    other, own = member(found, "metadata").get("name"), member(obj, "metadata").get("name")
    if asked.request.operation is not Operation.CREATE and other == own:
        return None
    return refused(asked, obj, f"PriorityClass {other} is already marked as default. Only one default can exist")


def _default(asked: Served) -> JsonObject | None:
    """The default class; of several the one with the lowest value."""
    defaults = [each for each in asked.objects.all("priorityclasses") if each.get("globalDefault") is True]
    return min(defaults, key=lambda each: int(str(each.get("value") or 0)), default=None)
