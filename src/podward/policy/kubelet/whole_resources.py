"""The resources that a Pod's status tells of the Pod as a whole.

Specification (kubelet, `convertToAPIPodLevelResourcesStatus`; component-helpers, `PodRequests` and `PodLimits`;
KEP-5419; in our words):
- What was allocated are the requests: those of the Pod itself, else of its containers together, and its overhead.
- Until the API has the Pod as running it has what it asks for: requests, and limits in the same way.
- Then it has what its cgroup has, beside what the Pod itself says: as CPU request the shares and as CPU limit the
  quota, read back as in `running_resources`; the cgroup's limit of memory. What is in no cgroup stays as it was told
  first: the request of memory always, limits that not every container has.

A kubelet on cgroup v1 tells 9007199254740988Ki for no limit of memory; here none is told, as on cgroup v2.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerResources
from podward.api.json_value import JsonObject, copied_object
from podward.api.quantity import Quantity
from podward.documents.raw_fields import member
from podward.policy.kubelet import running_resources
from podward.policy.kubelet.pod_phase import RUNNING
from podward.schema.validation.pod_resources import in_all
from podward.schema.validation.resources import amounts

_CPU, _MEMORY = "cpu", "memory"


def told(document: JsonObject, before: JsonObject, cgroup: LinuxContainerResources | None) -> JsonObject:
    """`resources`, and `allocatedResources` where there are any; `before` is the last status.

    `document` is the Pod as it was given what it has; `cgroup` what its cgroup has, None where there is none yet.
    """
    spec = member(document, "spec")
    requests, runs = _requests(spec), member(document, "status").get("phase") == RUNNING
    if runs and cgroup is not None:
        had = _running(spec, before, cgroup, requests.get(_MEMORY))
    elif runs and "resources" in before:  # a node that has just begun
        had = member(before, "resources")
    else:
        had = _listed({"requests": requests, "limits": _limits(spec)})
    made: JsonObject = {"resources": had}
    if requests:
        made["allocatedResources"] = _written(requests)
    return made


def _running(
    spec: JsonObject, before: JsonObject, cgroup: LinuxContainerResources, memory: Quantity | None
) -> JsonObject:
    own = copied_object(member(spec, "resources"))
    requests, limits = copied_object(member(own, "requests")), copied_object(member(own, "limits"))
    running_resources.report(requests, limits, cgroup)
    if _MEMORY not in requests and memory is not None:
        requests[_MEMORY] = str(memory)
    if before.get("phase") == RUNNING:
        earlier = member(before, "resources")
        _keep(requests, member(earlier, "requests"), _MEMORY)
        if not cgroup.cpu_quota:
            _keep(limits, member(earlier, "limits"), _CPU)
        if not cgroup.memory_limit_in_bytes:
            _keep(limits, member(earlier, "limits"), _MEMORY)
    return {**({"limits": limits} if limits else {}), **({"requests": requests} if requests else {})}


def _keep(amounts: JsonObject, earlier: JsonObject, name: str) -> None:
    if name in earlier:
        amounts[name] = earlier[name]


def _requests(spec: JsonObject) -> dict[str, Quantity]:
    found = in_all(spec, "requests")
    for name, amount in amounts(spec, "overhead").items():
        found[name] = found[name].plus(amount) if name in found else amount
    return found


def _limits(spec: JsonObject) -> dict[str, Quantity]:
    found = in_all(spec, "limits")
    for name, amount in amounts(spec, "overhead").items():
        if name in found and found[name].units:
            found[name] = found[name].plus(amount)
    return found


def _listed(lists: dict[str, dict[str, Quantity]]) -> JsonObject:
    return {name: _written(found) for name, found in lists.items() if found}


def _written(found: dict[str, Quantity]) -> JsonObject:
    return {name: str(amount) for name, amount in found.items()}
