"""What is known of Pods and Nodes when it is decided where a Pod may be: read once from each stored object.

Specification: Kubernetes, pkg/scheduler/framework/types.go (NodeInfo, PodInfo), k8s.io/component-helpers/resource
(PodRequests), pkg/scheduler/util GetHostPorts and GetNonzeroRequests, in our words:
- Amounts are whole numbers: thousandths of a cpu, bytes of memory and storage, pieces of everything else.
- A Pod needs what it requests as a whole, and its overhead. Of a container that was resized, the larger of what is
  wished and what its status says it has counts, unless the resize is infeasible: then what it has.
- Host ports are those of containers and sidecars.
- For scores alone, a container that requests no cpu or memory counts as 100m and 200 MiB.
- A Pod that has ended takes nothing of a node; one that is being deleted still does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from podward.api.core import Container
from podward.api.json_value import Json, JsonObject
from podward.api.quantity import Quantity, QuantityError, parse
from podward.api.scheduling import NodeView, SchedulingSpec
from podward.documents.raw_fields import member, objects
from podward.schema.validation.pod_resources import in_all
from podward.schema.validation.raw import strings, text
from podward.schema.validation.resources import amounts
from podward.schema.view import typed_view

Amounts = Mapping[str, int]
"""Whole numbers by a resource's name."""
Labels = Mapping[str, str]

DEFAULT_SCHEDULER = "default-scheduler"
PREEMPTED = "PreemptionByScheduler"
"""The reason of the condition DisruptionTarget of a Pod that ends for another one."""
ENDED = frozenset(("Succeeded", "Failed"))
_UNSAID: dict[str, Json] = {"cpu": "100m", "memory": "200Mi"}
_LISTS = (("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"))


class HostPort(Struct, frozen=True):
    """A port of the node itself that a Pod takes."""

    address: str
    protocol: str
    port: int

    def conflicts(self, other: HostPort) -> bool:
        """Whether both cannot be had on one node."""
        if (self.port, self.protocol) != (other.port, other.protocol):
            return False
        return self.address == other.address or _EVERYWHERE in {self.address, other.address}


_EVERYWHERE = "0.0.0.0"  # noqa: S104  # no address that is listened on: what a Pod without one means


class PodFacts(Struct, frozen=True, gc=False):
    """A Pod. `requests` is what it needs of a node, `scored` what it counts as in scores.

    `nominated` is the node where room is being made for it, `preempted` whether it ends to make such room.
    """

    namespace: str
    name: str
    uid: str
    labels: Labels
    spec: SchedulingSpec
    requests: Amounts
    scored: Amounts
    ports: tuple[HostPort, ...]
    started: str
    nominated: str
    deleted: bool
    preempted: bool
    ended: bool

    @property
    def node(self) -> str:
        """The node that it is bound to; empty where it is none's."""
        return self.spec.node_name or ""

    @property
    def priority(self) -> int:
        """Its priority; 0 where it has none."""
        return self.spec.priority or 0

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of the PersistentVolumeClaims that it uses."""
        found = []
        for volume in self.spec.volumes or ():
            if volume.persistent_volume_claim is not None:
                found.append(volume.persistent_volume_claim.claim_name)
            elif volume.ephemeral is not None:
                found.append(f"{self.name}-{volume.name}")
        return tuple(found)


class NodeFacts(Struct, frozen=True, gc=False):
    """A Node and the Pods that it has; `requested` and `scored` are what these need together."""

    name: str
    labels: Labels
    view: NodeView
    allocatable: Amounts
    pods: tuple[PodFacts, ...] = ()
    requested: Amounts = {}
    scored: Amounts = {}


def pod_facts(raw: JsonObject) -> PodFacts:
    """The facts of a stored Pod. Raises msgspec.ValidationError for what no API server stores."""
    metadata, spec, status = member(raw, "metadata"), member(raw, "spec"), member(raw, "status")
    view = typed_view(spec, SchedulingSpec, "PodSpec")
    as_it_is = with_status(spec, status)
    requests = _needed(as_it_is)
    deleted = metadata.get("deletionTimestamp") is not None
    return PodFacts(
        text(metadata, "namespace"),
        text(metadata, "name"),
        text(metadata, "uid"),
        strings(metadata, "labels"),
        view,
        requests,
        _needed(_with_unsaid(as_it_is)),
        tuple(_ports(view)),
        text(status, "startTime") or text(metadata, "creationTimestamp"),
        text(status, "nominatedNodeName"),
        deleted,
        deleted and any(_is_preemption(each) for each in objects(status, "conditions")),
        text(status, "phase") in ENDED,
    )


def node_facts(raw: JsonObject, pods: Iterable[PodFacts] = ()) -> NodeFacts:
    """The facts of a stored Node that has these Pods."""
    view = typed_view(raw, NodeView, "Node")
    metadata = member(raw, "metadata")
    allocatable = {name: _whole(name, amount) for name, amount in amounts(member(raw, "status"), "allocatable").items()}
    bare = NodeFacts(text(metadata, "name"), strings(metadata, "labels"), view, allocatable)
    return with_pods(bare, pods)


def with_pods(node: NodeFacts, pods: Iterable[PodFacts]) -> NodeFacts:
    """The node with these Pods in the place of its own."""
    there = tuple(pod for pod in pods if not pod.ended)
    return NodeFacts(
        node.name,
        node.labels,
        node.view,
        node.allocatable,
        there,
        _sum(pod.requests for pod in there),
        _sum(pod.scored for pod in there),
    )


def with_status(spec: JsonObject, status: JsonObject) -> JsonObject:
    """The Pod's spec, where a container that was resized requests what it must be given room for."""
    infeasible = any(
        condition.get("type") == "PodResizePending" and condition.get("reason") == "Infeasible"
        for condition in objects(status, "conditions")
    )
    made = spec
    for field, statuses in _LISTS:
        told = {text(each, "name"): each for each in objects(status, statuses) if each.get("resources")}
        if not told:
            continue
        containers: list[Json] = []
        for container in objects(spec, field):
            found = told.get(text(container, "name"))
            resized = None if found is None else _resized(container, found, infeasible=infeasible)
            containers.append(container if resized is None else resized)
        made = {**made, field: containers}
    return made


def _is_preemption(condition: JsonObject) -> bool:
    told = (condition.get("type"), condition.get("status"), condition.get("reason"))
    return told == ("DisruptionTarget", "True", PREEMPTED)


def _resized(container: JsonObject, status: JsonObject, *, infeasible: bool) -> JsonObject | None:
    wished = member(member(container, "resources"), "requests")
    has, given = member(member(status, "resources"), "requests"), member(status, "allocatedResources")
    if has == wished and given in ({}, wished):
        return None
    sides = (has, given) if infeasible else (wished, has, given)
    most: JsonObject = {}
    for side in sides:
        for name, written in side.items():
            if name not in most or _read(written).units > _read(most[name]).units:
                most[name] = written
    return {**container, "resources": {**member(container, "resources"), "requests": most}}


def _with_unsaid(spec: JsonObject) -> JsonObject:
    """The spec, where containers that request nothing request what they count as."""
    if member(spec, "resources").get("requests"):
        return spec
    made = dict(spec)
    for field, _ in _LISTS:
        if containers := objects(spec, field):
            made[field] = [_counted(container) for container in containers]
    return made


def _counted(container: JsonObject) -> Json:
    resources = member(container, "resources")
    return {**container, "resources": {**resources, "requests": {**_UNSAID, **member(resources, "requests")}}}


def _needed(spec: JsonObject) -> Amounts:
    needed = {name: _whole(name, amount) for name, amount in in_all(spec, "requests").items()}
    for name, amount in amounts(spec, "overhead").items():
        needed[name] = needed.get(name, 0) + _whole(name, amount)
    return needed


def _read(written: Json) -> Quantity:
    try:
        return parse(str(written))
    except QuantityError:
        return Quantity(0)


def _whole(name: str, amount: Quantity) -> int:
    return amount.milli_value if name == "cpu" else amount.value


def _sum(all_of: Iterable[Amounts]) -> Amounts:
    total: dict[str, int] = {}
    for each in all_of:
        for name, amount in each.items():
            total[name] = total.get(name, 0) + amount
    return total


def _ports(spec: SchedulingSpec) -> Iterable[HostPort]:
    for container in (*_sidecars(spec), *(spec.containers or ())):
        for port in container.ports or ():
            if port.host_port:
                yield HostPort(port.host_ip or _EVERYWHERE, port.protocol or "TCP", port.host_port)


def _sidecars(spec: SchedulingSpec) -> Iterable[Container]:
    return (container for container in spec.init_containers or () if container.restart_policy == "Always")
