"""What an object counts for in a ResourceQuota, by its kind: usage, the resources it is about, and scopes.

Specification: Kubernetes, pkg/quota/v1/evaluator/core and k8s.io/apiserver, pkg/quota/v1/generic. What has no rules of
its own is counted by number alone, under `count/` and its name. A Pod that has ended is counted by number only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from podward.api.admission import PODS, AdmissionRequest, GroupResource, Operation
from podward.api.json_value import JsonObject
from podward.api.quantity import Quantity, parse
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.pod_quality import quality
from podward.schema.validation.pod_resources import in_all
from podward.schema.validation.resources import HUGE_PAGES, amounts

Usage: TypeAlias = Mapping[str, Quantity]
Scoped: TypeAlias = Callable[[str, str, tuple[str, ...], JsonObject], bool]
"""Whether an object is in a scope, given its name, operator and values."""

COMPUTED = frozenset(
    ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"),
)
"""What every container must ask for where a quota is about it."""
_OF_PODS = COMPUTED | {"count/pods", "pods", "ephemeral-storage", "requests.ephemeral-storage"}
_OF_PODS |= {"limits.ephemeral-storage"}
_OF_SERVICES = frozenset(("count/services", "services", "services.nodeports", "services.loadbalancers"))
_OF_CLAIMS = ("persistentvolumeclaims", "requests.storage")
_OF_CLASS = ".storageclass.storage.k8s.io/"
_DEVICES = "deviceclass.resource.kubernetes.io/"
_ONE, _NONE = Quantity(10**9), Quantity(0)
_COUNTED_ALSO_AS_SUCH = frozenset(("configmaps", "resourcequotas", "replicationcontrollers", "secrets"))
_NEVER = frozenset(
    (
        GroupResource("", "bindings"),
        GroupResource("", "componentstatuses"),
        GroupResource("", "events"),
        GroupResource("events.k8s.io", "events"),
    )
)
_VIRTUAL_GROUPS = frozenset(("authentication.k8s.io", "authorization.k8s.io"))


class Rules(Struct, frozen=True):
    """How a kind is counted."""

    handles: Callable[[AdmissionRequest], bool]
    concerns: Callable[[str], bool]
    usage: Callable[[JsonObject], Usage]
    in_scope: Scoped


def rules_of(resource: GroupResource) -> Rules | None:
    """How objects of this kind are counted; None where they never are."""
    if resource in _NEVER or resource.group in _VIRTUAL_GROUPS:
        return None
    return _OF_KIND.get(resource) or _number(resource)


def selects(operator: str, values: tuple[str, ...], value: str) -> bool:
    """Whether a requirement of a scope holds for a value; an empty one is none."""
    if operator == "In":
        return bool(value) and value in values
    if operator == "NotIn":
        return value not in values or not value
    return bool(value) if operator == "Exists" else not value


def _number(resource: GroupResource) -> Rules:
    names = {f"count/{resource}"}
    if not resource.group and resource.resource in _COUNTED_ALSO_AS_SUCH:
        names.add(resource.resource)
    usage: Usage = dict.fromkeys(names, _ONE)
    return Rules(
        lambda request: request.operation is Operation.CREATE and not request.subresource,
        names.__contains__,
        lambda _obj: usage,
        _no_scope,
    )


def _no_scope(_name: str, _operator: str, _values: tuple[str, ...], _obj: JsonObject) -> bool:
    return False


def _pod_handles(request: AdmissionRequest) -> bool:
    if request.subresource == "resize":
        return request.operation is Operation.UPDATE
    if request.subresource:
        return False
    if request.operation is Operation.UPDATE:
        return _ends(request.object or {}) != _ends(request.old_object or {})
    return request.operation is Operation.CREATE


def _ends(pod: JsonObject) -> bool:
    deadline = member(pod, "spec").get("activeDeadlineSeconds")
    return isinstance(deadline, int) and deadline >= 0


def _extended(name: str) -> bool:
    return name.startswith(_DEVICES) or ("/" in name and "kubernetes.io/" not in name)


def _pod_concerns(name: str) -> bool:
    if name in _OF_PODS or name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}")):
        return True
    return name.startswith("requests.") and _extended(name.removeprefix("requests."))


def _pod_usage(pod: JsonObject) -> Usage:
    if member(pod, "status").get("phase") in {"Failed", "Succeeded"}:
        return {"count/pods": _ONE}
    spec = member(pod, "spec")
    overhead = amounts(spec, "overhead")
    requests, limits = in_all(spec, "requests"), in_all(spec, "limits")
    for name, amount in overhead.items():
        requests[name] = requests[name].plus(amount) if name in requests else amount
        if name in limits and limits[name].units:
            limits[name] = limits[name].plus(amount)
    return {"count/pods": _ONE, **computed(requests, limits)}


def computed(requests: Usage, limits: Usage) -> dict[str, Quantity]:
    """What requests and limits count as."""
    found = {"pods": _ONE}
    for name in ("cpu", "memory", "ephemeral-storage"):
        if name in requests:
            found[name] = found[f"requests.{name}"] = requests[name]
        if name in limits:
            found[f"limits.{name}"] = limits[name]
    for name, amount in requests.items():
        if name.startswith(HUGE_PAGES):
            found[name] = found[f"requests.{name}"] = amount
        elif _extended(name):
            found[f"requests.{name}"] = amount
    return found


def _pod_in_scope(name: str, operator: str, values: tuple[str, ...], pod: JsonObject) -> bool:
    spec = member(pod, "spec")
    if name == "PriorityClass":
        return selects(operator, values, str(spec.get("priorityClassName") or ""))
    check = _POD_SCOPES.get(name)
    return check is not None and check(pod)


def _best_effort(pod: JsonObject) -> bool:
    return quality(member(pod, "spec")) == "BestEffort"


def _looks_elsewhere(pod: JsonObject) -> bool:
    affinity = member(member(pod, "spec"), "affinity")
    return any(
        term.get("namespaces") or term.get("namespaceSelector") is not None
        for side in ("podAffinity", "podAntiAffinity")
        for term in _terms(member(affinity, side))
    )


def _terms(side: JsonObject) -> Iterable[JsonObject]:
    yield from objects(side, "requiredDuringSchedulingIgnoredDuringExecution")
    for preferred in objects(side, "preferredDuringSchedulingIgnoredDuringExecution"):
        yield member(preferred, "podAffinityTerm")


_POD_SCOPES: Mapping[str, Callable[[JsonObject], bool]] = {
    "Terminating": _ends,
    "NotTerminating": lambda pod: not _ends(pod),
    "BestEffort": _best_effort,
    "NotBestEffort": lambda pod: not _best_effort(pod),
    "CrossNamespacePodAffinity": _looks_elsewhere,
}


def _service_usage(service: JsonObject) -> Usage:
    spec = member(service, "spec")
    ports, of_type = objects(spec, "ports"), spec.get("type")
    count = len(ports) if of_type in {"NodePort", "LoadBalancer"} else 0
    if of_type == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        count = sum(1 for port in ports if port.get("nodePort"))
    return {
        "count/services": _ONE,
        "services": _ONE,
        "services.nodeports": Quantity(count * 10**9),
        "services.loadbalancers": _ONE if of_type == "LoadBalancer" else _NONE,
    }


def _claim_concerns(name: str) -> bool:
    of_class = tuple(_OF_CLASS + each for each in _OF_CLAIMS)
    return name == "count/persistentvolumeclaims" or name in _OF_CLAIMS or name.endswith(of_class)


def _claim_usage(claim: JsonObject) -> Usage:
    spec = member(claim, "spec")
    found = {"count/persistentvolumeclaims": _ONE, "persistentvolumeclaims": _ONE}
    old_name = member(member(claim, "metadata"), "annotations").get("volume.beta.kubernetes.io/storage-class")
    of_class = str(spec.get("storageClassName") or "") if old_name is None else str(old_name)
    if of_class:
        found[f"{of_class}{_OF_CLASS}persistentvolumeclaims"] = _ONE
    asked = _whole_bytes(member(spec, "resources").get("requests"))
    if asked is None:
        return found
    given = _whole_bytes(member(claim, "status").get("allocatedResources"))
    most = given if given is not None and given.units > asked.units else asked
    found["requests.storage"] = most
    if of_class:
        found[f"{of_class}{_OF_CLASS}requests.storage"] = most
    return found


def _whole_bytes(written: object) -> Quantity | None:
    amount = written.get("storage") if isinstance(written, dict) else None
    if amount is None:
        return None
    found = parse(str(amount))
    rest = found.units % 10**9
    return Quantity(found.units - rest + 10**9, found.form) if rest else found


def _claim_in_scope(name: str, operator: str, values: tuple[str, ...], claim: JsonObject) -> bool:
    if name != "VolumeAttributesClass":
        return False
    status = member(claim, "status")
    classes = (
        member(claim, "spec").get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        member(status, "modifyVolumeStatus").get("targetVolumeAttributesClassName"),
    )
    named = [str(each) for each in classes if each] or [""]
    return any(selects(operator, values, each) for each in named)


def _claim_handles(request: AdmissionRequest) -> bool:
    return request.operation in _WRITES and request.subresource in {"", "status"}


_WRITES = frozenset((Operation.CREATE, Operation.UPDATE))
_OF_KIND: Mapping[GroupResource, Rules] = {
    PODS: Rules(_pod_handles, _pod_concerns, _pod_usage, _pod_in_scope),
    GroupResource("", "services"): Rules(
        lambda request: request.operation in _WRITES and not request.subresource,
        _OF_SERVICES.__contains__,
        _service_usage,
        _no_scope,
    ),
    GroupResource("", "persistentvolumeclaims"): Rules(_claim_handles, _claim_concerns, _claim_usage, _claim_in_scope),
}
