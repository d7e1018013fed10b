"""The class of quality of service of a Pod, which its status says from the beginning.

Specification: Kubernetes, pkg/apis/core/helper/qos ComputePodQOS: of what the Pod as a whole asks for, if it does, or
else of all its containers, init containers too. Guaranteed: each has limits of cpu and memory, which are its requests.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.documents.raw_fields import member, objects

_COMPUTED = ("cpu", "memory")


def quality(spec: JsonObject) -> str:
    """The class, given the Pod's spec: Guaranteed, Burstable, BestEffort."""
    whole = spec.get("resources")
    if isinstance(whole, dict):
        holders = [whole]
    else:
        containers = (*objects(spec, "containers"), *objects(spec, "initContainers"))
        holders = [member(container, "resources") for container in containers]
    requests: dict[str, int] = {}
    limits: dict[str, int] = {}
    guaranteed = True
    for holder in holders:
        _add(requests, holder, "requests")
        guaranteed = _add(limits, holder, "limits") == len(_COMPUTED) and guaranteed
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if guaranteed and requests == limits else "Burstable"


def _add(total: dict[str, int], holder: JsonObject, kind: str) -> int:
    """Add what is not 0; how many there were."""
    amounts, count = holder.get(kind), 0
    if not isinstance(amounts, dict):
        return 0
    for name in _COMPUTED:
        written = amounts.get(name)
        units = parse(str(written)).units if written is not None else 0
        if units > 0:
            total[name] = total.get(name, 0) + units
            count += 1
    return count
