"""What a container's requests and limits become: CPU shares and quota, the memory limit, the OOM score.

Specification (kubelet, `generateLinuxContainerResources`, `qos.GetContainerOOMScoreAdjust`, `ComputePodQOS`, in
our words):
- `cpu` request in millicores: shares = m * 1024 / 1000, at least 2, at most 262144; without a request the limit
  counts as one; with neither, 2.
- `cpu` limit: quota = m * 100000 / 1000 microseconds of each 100000, at least 1000; no limit, no quota (0).
- `memory` limit in bytes; the Pod's own limit (`spec.resources`) stands in for a container's that is not set.
- QoS: a container is Guaranteed where requests and limits of cpu and memory are equal and not zero, BestEffort where
  all four are zero, else Burstable; a Pod is what all its init and regular containers agree on, else Burstable. The
  Pod's own resources, where given, decide alone.
- OOM score adjustment: Guaranteed -997, BestEffort 1000. Burstable: 1000 - 1000 * request / memory of the node, where a
  share of what the Pod requests beyond its containers counts too; a sidecar's is at most that of the smallest regular
  container; at least 3, at most 999. A Pod of class system-node-critical would get -997: Podward knows no priorities.

Validation's rules (`ValidateResourceRequirements`) that would be wrong to run without: every quantity is one, none is
negative, no request of cpu or memory is above its limit.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, PodSpec, Resources
from podward.api.effective import Place
from podward.api.quantity import Quantity, QuantityError, parse
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, refuse
from podward.path import Key, Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} resources")
FORMAT = Source(Origin.RULE, f"Kubernetes {KUBERNETES} resource.Quantity")
PERIOD = 100_000
"""Microseconds: the CFS period that the kubelet asks for."""
LEAST_QUOTA = 1000
LEAST_SHARES, MOST_SHARES, SHARES_PER_CPU = 2, 262144, 1024
GUARANTEED_SCORE, BEST_EFFORT_SCORE = -997, 1000

_COMPUTE = ("cpu", "memory")
_ZERO = Quantity(0)


class Amounts(Struct, frozen=True, gc=False):
    """Requests and limits that were read: millicores and bytes; 0 where not set. `cpu_requested` tells 0 from unset."""

    cpu_request: int = 0
    cpu_limit: int = 0
    memory_request: int = 0
    memory_limit: int = 0
    cpu_requested: bool = False


def decide(spec: PodSpec, container: Container, place: Place, memory: int = 0) -> Decision:
    """The fields of LinuxContainerResources; `memory` is the node's in bytes, 0 where nobody knows.

    Assignments are relative to the message; violations name the place in the document.
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
        ("cpuQuota", _quota(cpu_limit), "limits.cpu" if cpu_limit else "no cpu limit", cited if cpu_limit else RULE),
        _shares(own, cpu_limit, cited),
    ]
    if memory_limit:
        whose = cited if own.memory_limit else Source(cited.origin, cited.name, place.pod / "spec" / "resources")
        rows.append(("memoryLimitInBytes", memory_limit, "limits.memory", whose))
    quality = qos(spec)
    rows.append(("oomScoreAdj", _oom_score(spec, container, quality, memory), f"the Pod is {quality}", RULE))
    return Decision(tuple(Assignment(path(name), number, reason, source) for name, number, reason, source in rows))


def amounts(resources: Resources | None) -> Amounts:
    """What `decide` has found to be readable; what is not, is 0."""
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
    """The Pod's class: Guaranteed, Burstable or BestEffort."""
    if spec.resources is not None:
        return _class_of(spec.resources)
    classes = {_class_of(c.resources) for c in (*(spec.init_containers or ()), *(spec.containers or ()))}
    return classes.pop() if len(classes) == 1 else "Burstable" if classes else "BestEffort"


def pod_memory_limit(spec: PodSpec) -> int:
    """Bytes that the Pod's cgroup is limited to: its own limit, or what all containers' limits make; 0 for no limit."""
    own = amounts(spec.resources).memory_limit
    everyone = (*(spec.init_containers or ()), *(spec.containers or ()))
    if own or not all(amounts(c.resources).memory_limit for c in everyone):
        return own
    return _aggregate(spec, limits=True)


def _refusals(resources: Resources | None, where: Path) -> Decision:
    if resources is None:
        return Decision()
    decision = Decision()
    for kind, listed in (("limits", resources.limits), ("requests", resources.requests)):
        for name, written in (listed or {}).items():
            spot = where / kind / Key(name)
            try:
                amount = parse(str(written))
            except QuantityError as error:
                decision += refuse(spot, written, str(error), FORMAT)
                continue
            if amount.units < 0:
                decision += refuse(spot, written, "must be greater than or equal to 0", FORMAT)
    if decision.refused:
        return decision
    requests, limits = resources.requests or {}, resources.limits or {}
    for name in _COMPUTE:
        if name in requests and name in limits and _read(requests[name]).units > _read(limits[name]).units:
            reason = f"must be less than or equal to {name} limit of {limits[name]}"
            decision += refuse(where / "requests", requests[name], reason, RULE)
    return decision


def _read(written: str | float | None) -> Quantity:
    """Zero for what is absent or no quantity (which `_refusals` has refused)."""
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
    """CPU shares for a request."""
    return min(max(millicores * SHARES_PER_CPU // 1000, LEAST_SHARES), MOST_SHARES)


def _quota(millicores: int) -> int:
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


def _oom_score(spec: PodSpec, container: Container, quality: str, memory: int) -> int:
    if quality == "Guaranteed":
        return GUARANTEED_SCORE
    if quality == "BestEffort":
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
    """Each container's share, in bytes, of the memory that the Pod requests beyond what its containers request."""
    requested = amounts(spec.resources).memory_request
    count = len(spec.containers or ()) + len(spec.init_containers or ())
    if not requested or not count:
        return 0
    return max(0, requested - _aggregate(spec, limits=False)) // count


def _aggregate(spec: PodSpec, *, limits: bool) -> int:
    """Bytes that the containers need at once: the regular ones and sidecars, or more while an init container runs."""

    def bytes_of(container: Container) -> int:
        read = amounts(container.resources)
        return read.memory_limit if limits else read.memory_request

    sidecars = peak = 0
    for container in spec.init_containers or ():
        if _is_sidecar(container):
            sidecars += bytes_of(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + bytes_of(container))
    return max(peak, sidecars + sum(bytes_of(c) for c in spec.containers or ()))


def _is_sidecar(container: Container) -> bool:
    return container.restart_policy == "Always"
