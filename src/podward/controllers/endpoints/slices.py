"""The EndpointSlices of a Service: which are to be made, changed and deleted so that they hold its Pods.

Specification: Kubernetes, k8s.io/endpointslice, reconciler.go and trafficdist. At most a hundred endpoints a slice;
Pods whose ports have other numbers are in slices of their own; slices that are there are filled before new ones are
made; a Service without endpoints has one empty slice. Left out: hints by `service.kubernetes.io/topology-mode`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.controllers.endpoints import pods as of_pods
from podward.controllers.endpoints.slice_documents import (
    CHANGED_AT,
    Endpoints,
    PortsKey,
    endpoint_key,
    endpoint_of,
    has_address,
    is_owned,
    labels_differ,
    labels_of,
    named,
    new_slice,
    ports_key,
    ports_of,
    same_endpoint,
)
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import strings, text, texts

MOST = 100
_NEAR = frozenset(("PreferClose", "PreferSameZone", "PreferSameNode"))

FindNode: TypeAlias = Callable[[str], JsonObject | None]


class Plan(Struct):
    """What is to be done, in this order. `faults` are Pods that were left out, to be looked at again."""

    created: list[JsonObject] = []
    updated: list[JsonObject] = []
    deleted: list[JsonObject] = []
    faults: list[str] = []


class _Group(Struct):
    """The endpoints that are to be, of Pods whose ports have the same numbers."""

    ports: list[Json]
    endpoints: Endpoints


def planned(
    service: JsonObject, pods: Iterable[JsonObject], slices: Iterable[JsonObject], node: FindNode, moment: str
) -> Plan:
    """What is to be done about the `slices` of a Service that selects these Pods. `moment`: what changed, when."""
    plan, families, known, among = Plan(), _families(service), list(slices), list(pods)
    for family in families:
        mine = [each for each in known if each.get("addressType") == family]
        step = _of_family(service, among, mine, node, family)
        _recycle(service, step)
        plan.created += step.created
        plan.updated += step.updated
        plan.deleted += step.deleted
        plan.faults += step.faults
    plan.deleted += [each for each in known if each.get("addressType") not in families]
    if of_pods.is_ending(service):
        plan.created.clear()
    plan.created = [_stamped(each, moment) for each in plan.created]
    plan.updated = [_stamped(each, moment) for each in plan.updated]
    return plan


def _of_family(
    service: JsonObject, pods: Iterable[JsonObject], slices: list[JsonObject], node: FindNode, family: str
) -> Plan:
    plan, own = Plan(), [each for each in slices if is_owned(each, service)]
    plan.deleted += [each for each in slices if not is_owned(each, service)]
    there: dict[PortsKey, list[JsonObject]] = {}
    for each in own:
        there.setdefault(ports_key(objects(each, "ports")), []).append(each)
    groups = _groups(service, pods, node, family, plan.faults)
    for key, group in groups.items():
        fresh = new_slice(service, group.ports, family)
        _fit(service, there.get(key, []), group.endpoints, fresh, plan)
    for key, left in there.items():
        if key not in groups:
            plan.deleted += left
    if len(plan.deleted) == len(slices) and not plan.created:
        empty = new_slice(service, [], family)
        if len(plan.deleted) == 1 and _is_same_placeholder(plan.deleted[0], empty):
            plan.deleted.clear()
        else:
            plan.created.append(empty)
    _hint(service, slices, plan)
    return plan


def _groups(
    service: JsonObject, pods: Iterable[JsonObject], node: FindNode, family: str, faults: list[str]
) -> dict[PortsKey, _Group]:
    groups: dict[PortsKey, _Group] = {}
    spec, of = member(service, "spec"), member(service, "metadata")
    for pod in pods:
        if not of_pods.is_included(pod, terminating=True):
            continue
        ports = ports_of(spec, pod)
        group = groups.setdefault(ports_key(ports), _Group(list(ports), {}))
        name = text(member(pod, "spec"), "nodeName")
        on = node(name)
        if on is None and spec.get("publishNotReadyAddresses") is not True:
            where = f"{of.get('namespace')}/{of.get('name')}"
            faults.append(
                f"skipping Pod {member(pod, 'metadata').get('name')} for Service {where}: Node {name} Not Found"
            )
            continue
        made = endpoint_of(pod, on, service, family)
        if made["addresses"]:
            group.endpoints[endpoint_key(made)] = made
    return groups


def _fit(service: JsonObject, there: list[JsonObject], wanted: Endpoints, fresh: JsonObject, plan: Plan) -> None:
    """Put the endpoints that are wanted into the slices that are there, and into new ones; `wanted` is used up."""
    changed: list[JsonObject] = []
    untouched: list[JsonObject] = []
    for each in there:
        before = objects(each, "endpoints")
        kept = [(old, wanted.pop(endpoint_key(old))) for old in before if endpoint_key(old) in wanted]
        differs = len(kept) != len(before) or not all(same_endpoint(old, new) for old, new in kept)
        if differs and not kept:
            plan.deleted.append(each)
        elif differs or labels_differ(each, service):
            carried: list[Json] = [new for _, new in kept]
            changed.append({**_labelled(each, service), "endpoints": carried})
        else:
            untouched.append(each)
    changed.sort(key=lambda each: -len(objects(each, "endpoints")))
    for index, each in enumerate(changed):
        changed[index] = _filled(each, wanted)
    plan.updated += changed
    while wanted:
        best = _best(untouched, len(wanted)) if len(wanted) < MOST else None
        if best is None:
            plan.created.append(_filled(fresh, wanted))
        else:
            untouched.remove(best)
            plan.updated.append(_filled(best, wanted))


def _labelled(each: JsonObject, service: JsonObject) -> JsonObject:
    return {**each, "metadata": {**member(each, "metadata"), "labels": labels_of(service)}}


def _filled(each: JsonObject, wanted: Endpoints) -> JsonObject:
    """The slice with as many of these endpoints as it has room for; they are taken from `wanted`."""
    endpoints: list[Json] = list(objects(each, "endpoints"))
    while wanted and len(endpoints) < MOST:
        endpoints.append(wanted.pop(next(iter(wanted))))
    return {**each, "endpoints": endpoints}


def _best(slices: list[JsonObject], count: int) -> JsonObject | None:
    """The slice that so many endpoints fill best."""
    sizes = [(MOST - count - len(objects(each, "endpoints")), index) for index, each in enumerate(slices)]
    fitting = [(left, index) for left, index in sizes if 0 <= left < MOST]
    return slices[min(fitting)[1]] if fitting else None


def _is_same_placeholder(there: JsonObject, empty: JsonObject) -> bool:
    of, wanted = member(there, "metadata"), member(empty, "metadata")
    return (
        of.get("namespace") == wanted.get("namespace")
        and strings(of, "labels") == strings(wanted, "labels")
        and objects(of, "ownerReferences") == objects(wanted, "ownerReferences")
        and not objects(there, "endpoints")
        and not objects(there, "ports")
    )


def _recycle(service: JsonObject, plan: Plan) -> None:
    """Change what would be deleted into what would be made."""
    left = []
    for each in plan.deleted:
        if plan.created and is_owned(each, service):
            made = plan.created.pop()
            plan.updated.append(named(made, each))
        else:
            left.append(each)
    plan.deleted = left


def _hint(service: JsonObject, slices: list[JsonObject], plan: Plan) -> None:
    """Say for whom endpoints are, where the Service prefers near ones; else say nothing."""
    preference = text(member(service, "spec"), "trafficDistribution")
    near, nodes = preference in _NEAR, preference == "PreferSameNode"
    touched = {member(each, "metadata").get("name") for each in (*plan.updated, *plan.deleted)}
    for each in slices:
        hinted = _hinted(each, nodes=nodes, near=near)
        if member(each, "metadata").get("name") not in touched and hinted != each:
            plan.updated.append(each)
    plan.created = [_hinted(each, nodes=nodes, near=near) for each in plan.created]
    plan.updated = [_hinted(each, nodes=nodes, near=near) for each in plan.updated]


def _hinted(each: JsonObject, *, nodes: bool, near: bool) -> JsonObject:
    """The slice with hints at zones, and at nodes; what is not ready keeps its own. Without: where not `near`."""
    endpoints: list[Json] = []
    for endpoint in objects(each, "endpoints"):
        if near and member(endpoint, "conditions").get("ready") is not True:
            endpoints.append(endpoint)
            continue
        plain: JsonObject = {name: value for name, value in endpoint.items() if name != "hints"}
        hints: JsonObject = {}
        if near and endpoint.get("zone"):
            hints["forZones"] = [{"name": endpoint["zone"]}]
        if nodes and endpoint.get("nodeName"):
            hints["forNodes"] = [{"name": endpoint["nodeName"]}]
        endpoints.append({**plain, "hints": hints} if hints else plain)
    return {**each, "endpoints": endpoints} if endpoints else each


def _stamped(each: JsonObject, moment: str) -> JsonObject:
    of = member(each, "metadata")
    notes: JsonObject = {**member(of, "annotations")}
    notes.pop(CHANGED_AT, None)
    if moment:
        notes[CHANGED_AT] = moment
    return {**each, "metadata": {**of, "annotations": notes}}


def _families(service: JsonObject) -> list[str]:
    spec = member(service, "spec")
    named_ones = [family for family in texts(spec, "ipFamilies") if family in of_pods.FAMILIES]
    if named_ones:
        return named_ones
    if has_address(service):
        address = of_pods.parsed(text(spec, "clusterIP"))
        return [of_pods.family_of(address)] if address is not None else ["IPv4"]
    return list(of_pods.FAMILIES)
