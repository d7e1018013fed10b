"""CPU and memory that change while a Pod runs: what a node gives to it, and what is to be done about its containers.

Specification (kubelet, pkg/kubelet/allocation, `computePodResizeAction` and `doPodResizeAction` of
pkg/kubelet/kuberuntime, KEP-1287, in our words):
- A node gives (allocates) what a Pod asks for when it admits it. What is asked for later is given where the node has
  it beside the other Pods, and is pending (Deferred) else; until then the Pod is what it was given.
- A container that runs and has (in effect) something else than it was given is changed in place, or started again where
  its resizePolicy says so for what differs. What decreases is changed before what increases.
- The Pod's own cgroup is made larger before its containers are changed, and smaller after.
- A limit of memory is not set below what the Pod uses: that is an error, and tried again.
- Conditions tell of what is pending, and of what goes on; events tell the resources as JSON. What is pending is an
  event once for each wish, and says why it would not be admitted (`OutOfcpu`, …).

Quantities that mean the same are no change.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from podward.api.core import Container, Pod, PodSpec, Resources
from podward.api.json_value import Json, JsonObject
from podward.api.pod_seen import RUNNING, PodSeen
from podward.api.quantity import QuantityError, parse
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import resources
from podward.policy.kubelet.container_kinds import Kind, of_pod
from podward.policy.kubelet.resources import Amounts

_LISTS = ("initContainers", "containers")
WHOLE = ""
"""The name that stands for the Pod itself."""
Allocation = Mapping[str, JsonObject]
"""What was given: the member `resources` of each container by its name, and of the Pod."""


class Change(Struct, frozen=True):
    """A container that runs with other resources than it was given; `again`: it is to be started anew for that."""

    name: str
    run: str
    again: bool
    increases: bool


def asked(document: JsonObject) -> dict[str, JsonObject]:
    """What a Pod asks for."""
    spec = member(document, "spec")
    found = {
        str(container.get("name")): member(container, "resources")
        for field in _LISTS
        for container in objects(spec, field)
    }
    return {**found, WHOLE: member(spec, "resources")}


def given(document: JsonObject, allocation: Allocation) -> JsonObject:
    """The Pod as the node knows it: with what it was given in place of what it asks for."""
    if all(found == allocation.get(name, found) for name, found in asked(document).items()):
        return document
    spec = dict(member(document, "spec"))
    for field in _LISTS:
        containers: list[Json] = [
            {**container, "resources": allocation.get(str(container.get("name")), member(container, "resources"))}
            for container in objects(spec, field)
        ]
        if containers:
            spec[field] = containers
    if allocation.get(WHOLE):
        spec["resources"] = allocation[WHOLE]
    return {**document, "spec": spec}


def is_pending(document: JsonObject, allocation: Allocation) -> bool:
    """Whether the Pod asks for something else than it was given."""
    return any(not _same(found, allocation.get(name, found)) for name, found in asked(document).items())


def changes(pod: Pod, actuated: Allocation, seen: PodSeen) -> tuple[Change, ...]:
    """The containers that are to be changed: `pod` is as it was given, `actuated` what its containers run with.

    Those that decrease come first.
    """
    found = []
    for name, kind, container in of_pod(pod.spec):
        run = seen.newest(name)
        if kind not in {Kind.SIDECAR, Kind.REGULAR} or run is None or run.status.state != RUNNING:
            continue
        had = _effective(pod.spec, _view(actuated[name]) if name in actuated else container.resources)
        wanted = _effective(pod.spec, container.resources)
        if had != wanted:
            again = _starts_again(container, had, wanted)
            found.append(Change(name, run.status.id, again, _increases(had, wanted)))
    return tuple(sorted(found, key=lambda change: change.increases))


def summary(document: JsonObject, error: str = "") -> str:
    """The resources as an event tells them."""
    spec, told = member(document, "spec"), {}
    for field in _LISTS:
        rows: list[Json] = [
            {"name": container.get("name"), "resources": _in_order(member(container, "resources"))}
            for container in objects(spec, field)
        ]
        if rows:
            told[field] = rows
    generation = member(document, "metadata").get("generation")
    whole: JsonObject = {**told, "generation": generation, **({"error": error} if error else {})}
    return msgspec.json.encode(whole).decode()


def _in_order(found: JsonObject) -> JsonObject:
    """The members in the order in which Go writes them."""
    made: JsonObject = {}
    for side in ("limits", "requests"):
        if amounts := member(found, side):
            made[side] = {name: amounts[name] for name in sorted(amounts)}
    return {**made, **{name: item for name, item in found.items() if name not in {"limits", "requests"}}}


def _same(left: JsonObject, right: JsonObject) -> bool:
    return all(_amounts(left, side) == _amounts(right, side) for side in ("requests", "limits"))


def _amounts(found: JsonObject, side: str) -> dict[str, object]:
    return {name: _meaning(written) for name, written in member(found, side).items()}


def _meaning(written: Json) -> object:
    try:
        return parse(str(written)).units
    except QuantityError:
        return written


def _view(found: JsonObject) -> Resources:
    return msgspec.convert(found, Resources)


def _effective(spec: PodSpec, found: Resources | None) -> Amounts:
    """The amounts of a container, with the Pod's own limits where it has none."""
    own, whole = resources.amounts(found), resources.amounts(spec.resources)
    return Amounts(
        own.cpu_request, own.cpu_limit or whole.cpu_limit, own.memory_request, own.memory_limit or whole.memory_limit
    )


def _starts_again(container: Container, had: Amounts, wanted: Amounts) -> bool:
    differs = {
        "cpu": (had.cpu_request, had.cpu_limit) != (wanted.cpu_request, wanted.cpu_limit),
        "memory": (had.memory_request, had.memory_limit) != (wanted.memory_request, wanted.memory_limit),
    }
    return any(
        differs.get(policy.resource_name, False) and policy.restart_policy == "RestartContainer"
        for policy in container.resize_policy or ()
    )


def _increases(had: Amounts, wanted: Amounts) -> bool:
    return (wanted.memory_limit, wanted.cpu_limit, wanted.cpu_request) > (
        had.memory_limit,
        had.cpu_limit,
        had.cpu_request,
    )
