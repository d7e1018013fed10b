"""The CPU shares and quota, memory limit and OOM score that follow from a container's requests and limits.

Specification (kubelet, `generateLinuxContainerResources`, `qos.GetContainerOOMScoreAdjust`, `ComputePodQOS`, in
our words):
- `cpu` request in millicores: shares = m * 1024 / 1000, at least 2, at most 262144. Without a request the limit counts
  as the request; without both the shares are 2.
- `cpu` limit: quota = m * 100000 / 1000 microseconds in each period of 100000, at least 1000; 0 (no quota) without a
  limit.
- `memory` limit in bytes. If a container has no limit, the Pod's own limit (`spec.resources`) replaces it.
- Under cgroup v2 `memory.oom.group` is 1: when memory runs out, all processes of the container are killed, and not one
  of them alone (the kubelet's `singleProcessOOMKill`, which is unset).
- QoS: a container is Guaranteed if its requests and limits of cpu and memory are equal and not zero, BestEffort if all
  four are zero, else Burstable. A Pod has the class of its init and regular containers if all have the same one, else
  Burstable. If the Pod has its own resources, they alone decide.
- OOM score adjustment: Guaranteed -997, BestEffort 1000. Burstable: 1000 - 1000 * request / memory of the node, at
  least 3 and at most 999. Memory that the Pod requests beyond its containers' requests is added to the containers'
  requests in equal shares. A sidecar's score is at most that of the regular container with the smallest request. A Pod
  of class system-node-critical would get -997, but Podward has no priority classes.

The rule repeats parts of validation (`ValidateResourceRequirements`) that a container must not run without: every
quantity parses, none is negative, and no request of cpu or memory is above its limit.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from msgspec import Struct

from podward.api.core import Container, PodSpec, Resources
from podward.api.effective import Place
from podward.api.quantity import Quantity, QuantityError, parse
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, assign, refuse
from podward.path import Key, Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} resources")
FORMAT = Source(Origin.RULE, f"Kubernetes {KUBERNETES} resource.Quantity")
PERIOD = 100_000
"""Microseconds: the CFS period that the kubelet asks for."""
LEAST_QUOTA = 1000
LEAST_SHARES, MOST_SHARES, SHARES_PER_CPU = 2, 262144, 1024
GUARANTEED_SCORE, BEST_EFFORT_SCORE = -997, 1000

_OOM_GROUP = (path("unified", Key("memory.oom.group")), "1", "cgroup v2: all processes end when memory runs out")
_COMPUTE = ("cpu", "memory")
_ZERO = Quantity(0)
_AMOUNTS = tuple(map(attrgetter, ("cpu_request", "cpu_limit", "memory_request", "memory_limit")))


class Amounts(Struct, frozen=True, gc=False):
    """Requests and limits in millicores and bytes; 0 if unset. `cpu_requested` is whether a cpu request is set."""

    cpu_request: int = 0
    cpu_limit: int = 0
    memory_request: int = 0
    memory_limit: int = 0
    cpu_requested: bool = False


def decide(spec: PodSpec, container: Container, place: Place, memory: int = 0, *, cgroup_v2: bool = False) -> Decision:
    """The fields of LinuxContainerResources; `memory` is the node's memory in bytes, 0 if it is not known.

    Assignments have paths of the message, violations have paths of the document.
    """
    refusals = _refusals(container.resources, place.container / "resources")
    refusals += _refusals(spec.resources, place.pod / "spec" / "resources")
    if refusals.refused:
        return refusals
    own, pod = amounts(container.resources), amounts(spec.resources)
    cpu_limit = own.cpu_limit or pod.cpu_limit
    memory_limit = own.memory_limit or pod.memory_limit
    here = place.container / "resources"
    cited = Source(Origin.MANIFEST, place.document, here)
    rows = [
        ("cpuPeriod", PERIOD, "the kubelet's period", RULE),
        ("cpuQuota", quota(cpu_limit), "limits.cpu" if cpu_limit else "no cpu limit", cited if cpu_limit else RULE),
        _shares(own, cpu_limit, cited),
    ]
    if memory_limit:
        of_pod = Source(cited.origin, cited.name, place.pod / "spec" / "resources")
        rows.append(("memoryLimitInBytes", memory_limit, "limits.memory", cited if own.memory_limit else of_pod))
    qos_class = qos(spec)
    rows.append(("oomScoreAdj", _oom_score(spec, container, qos_class, memory), f"the Pod is {qos_class}", RULE))
    decided = tuple(Assignment(path(name), number, reason, source) for name, number, reason, source in rows)
    return Decision(decided) + (assign(*_OOM_GROUP, RULE) if cgroup_v2 else Decision())


def amounts(resources: Resources | None) -> Amounts:
    """The amounts of requests and limits; 0 for a quantity that does not parse."""
    if resources is None:
        return Amounts()
    requests, limits = resources.requests or {}, resources.limits or {}
    return Amounts(
        cpu_request=_read(requests.get("cpu")).milli_value,
        cpu_limit=_read(limits.get("cpu")).milli_value,
        memory_request=_read(requests.get("memory")).value,
        memory_limit=_read(limits.get("memory")).value,
        cpu_requested="cpu" in requests,
    )


def qos(spec: PodSpec) -> str:
    """The Pod's QoS class: Guaranteed, Burstable or BestEffort."""
    if spec.resources is not None:
        return _class_of(spec.resources)
    classes = {_class_of(c.resources) for c in (*(spec.init_containers or ()), *(spec.containers or ()))}
    return classes.pop() if len(classes) == 1 else "Burstable" if classes else "BestEffort"


def pod_memory_limit(spec: PodSpec) -> int:
    """The memory limit of the Pod's cgroup in bytes; 0 for no limit.

    It is the Pod's own limit, or follows from the limits of its containers if all of them have one.
    """
    own = amounts(spec.resources).memory_limit
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    if own or not all(amounts(c.resources).memory_limit for c in containers):
        return own
    return _aggregate(spec, attrgetter("memory_limit"))


def pod_amounts(spec: PodSpec) -> Amounts:
    """What the Pod requests and may take as a whole: its own amounts, else those of its containers together."""
    own = amounts(spec.resources)
    cpu_request, cpu_limit, memory_request, memory_limit = (
        amount(own) or _aggregate(spec, amount) for amount in _AMOUNTS
    )
    return Amounts(cpu_request, cpu_limit, memory_request, memory_limit)


def _refusals(resources: Resources | None, where: Path) -> Decision:
    if resources is None:
        return Decision()
    decision = Decision()
    for kind, listed in (("limits", resources.limits), ("requests", resources.requests)):
        for name, written in (listed or {}).items():
            field = where / kind / Key(name)
            try:
                amount = parse(str(written))
            except QuantityError as error:
                decision += refuse(field, written, str(error), FORMAT)
                continue
            if amount.units < 0:
                decision += refuse(field, written, "must be greater than or equal to 0", FORMAT)
    if decision.refused:
        return decision
    requests, limits = resources.requests or {}, resources.limits or {}
    for name in _COMPUTE:
        if name in requests and name in limits and _read(requests[name]).units > _read(limits[name]).units:
            reason = f"must be less than or equal to {name} limit of {limits[name]}"
            decision += refuse(where / "requests", requests[name], reason, RULE)
    return decision


def _read(written: str | float | None) -> Quantity:
    """The quantity; zero if it is absent or does not parse (which `_refusals` has refused)."""
    if written is None:
        return _ZERO
    try:
        return parse(str(written))
    except QuantityError:
        return _ZERO


def _shares(own: Amounts, cpu_limit: int, cited: Source) -> tuple[str, int, str, Source]:
    if own.cpu_requested:
        return "cpuShares", shares(own.cpu_request), "requests.cpu", cited
    if cpu_limit:
        return "cpuShares", shares(cpu_limit), "no request: limits.cpu counts as one", cited
    return "cpuShares", LEAST_SHARES, "no cpu request", RULE


def shares(millicores: int) -> int:
    """The CPU shares for a request in millicores."""
    return min(max(millicores * SHARES_PER_CPU // 1000, LEAST_SHARES), MOST_SHARES)


def quota(millicores: int) -> int:
    """The quota for a limit in millicores; 0 where there is none."""
    return max(millicores * PERIOD // 1000, LEAST_QUOTA) if millicores else 0


def _class_of(resources: Resources | None) -> str:
    requests, limits = (resources.requests or {}, resources.limits or {}) if resources is not None else ({}, {})
    found = set()
    for name in _COMPUTE:
        request, limit = _read(requests.get(name)).units, _read(limits.get(name)).units
        if request != limit:
            return "Burstable"
        found.add("Guaranteed" if request else "BestEffort")
    return found.pop() if len(found) == 1 else "Burstable"


def _oom_score(spec: PodSpec, container: Container, qos_class: str, memory: int) -> int:
    if qos_class == "Guaranteed":
        return GUARANTEED_SCORE
    if qos_class == "BestEffort":
        return BEST_EFFORT_SCORE
    spare = _spare_request(spec)

    def score(request: int) -> int:
        return 1000 - (1000 * (request + spare)) // memory if memory else 1000

    adjusted = score(amounts(container.resources).memory_request)
    if _is_sidecar(container) and any(c.name == container.name for c in spec.init_containers or ()):
        smallest = min((amounts(c.resources).memory_request for c in spec.containers or ()), default=0)
        adjusted = min(adjusted, score(smallest))
    return min(max(adjusted, 1000 + GUARANTEED_SCORE), BEST_EFFORT_SCORE - 1)


def _spare_request(spec: PodSpec) -> int:
    """The share of each container, in bytes, in the memory that the Pod requests beyond its containers' requests."""
    requested = amounts(spec.resources).memory_request
    count = len(spec.containers or ()) + len(spec.init_containers or ())
    if not requested or not count:
        return 0
    return max(0, requested - _aggregate(spec, attrgetter("memory_request"))) // count


def _aggregate(spec: PodSpec, amount: Callable[[Amounts], int]) -> int:
    """The largest sum of an amount of containers that run at the same time.

    These are the regular containers and sidecars, or an init container and the sidecars before it.
    """

    def of(container: Container) -> int:
        return amount(amounts(container.resources))

    sidecars = peak = 0
    for container in spec.init_containers or ():
        if _is_sidecar(container):
            sidecars += of(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + of(container))
    return max(peak, sidecars + sum(of(c) for c in spec.containers or ()))


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"
