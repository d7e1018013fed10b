"""The Endpoints of a Service: subsets of addresses that have the same ports, ready and not ready.

Specification: Kubernetes, pkg/controller/endpoint and pkg/api/v1/endpoints RepackSubsets, but for the order of ports
and subsets, which is that of a hash there, and that of their names and numbers here. A thousand addresses at most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from podward.api.json_value import Json, JsonObject
from podward.controllers.endpoints import pods as of_pods
from podward.controllers.endpoints.slice_documents import CHANGED_AT, HEADLESS, has_address
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import pointer, strings, text, texts

ENDPOINTS = BY_PLURAL["", "v1", "endpoints"]
MANAGED_BY, MANAGER = "endpoints.kubernetes.io/managed-by", "endpoint-controller"
_OVER_CAPACITY, _TRUNCATED = "endpoints.kubernetes.io/over-capacity", "truncated"
_MOST = 1000

Port: TypeAlias = tuple[str, int, str, str | None]
Address: TypeAlias = tuple[str, str]
"""An address and the UID of what it is of: both together are one endpoint."""


def wanted(service: JsonObject, pods: Iterable[JsonObject]) -> list[JsonObject]:
    """The subsets of a Service that selects these Pods."""
    spec = member(service, "spec")
    always = spec.get("publishNotReadyAddresses") is True
    found: list[JsonObject] = []
    for pod in pods:
        if not of_pods.is_included(pod, terminating=always):
            continue
        address = _address(service, pod)
        if address is None:
            continue
        which = "addresses" if always or of_pods.is_ready(pod) else "notReadyAddresses"
        if not objects(spec, "ports") and spec.get("clusterIP") == "None":
            found.append({which: [address], "ports": []})
        for port in objects(spec, "ports"):
            number = of_pods.port_number(pod, port)
            if number is not None:
                found.append({which: [address], "ports": [_port(port, number)]})
    return repacked(found)


def _port(port: JsonObject, number: int) -> JsonObject:
    made: JsonObject = {"name": text(port, "name"), "port": number, "protocol": text(port, "protocol") or "TCP"}
    if (protocol := pointer(port, "appProtocol")) is not None:
        made["appProtocol"] = protocol
    return made


def _address(service: JsonObject, pod: JsonObject) -> JsonObject | None:
    spec = member(service, "spec")
    families, own = texts(spec, "ipFamilies"), of_pods.parsed(text(spec, "clusterIP"))
    shown = of_pods.parsed(text(member(pod, "status"), "podIP"))
    known = own or shown
    family = families[0] if families else of_pods.family_of(known) if known is not None else "IPv4"
    addresses = of_pods.addresses(pod, family)
    if not addresses:
        return None
    made: JsonObject = {"ip": addresses[0], "targetRef": of_pods.reference(pod)}
    if node := text(member(pod, "spec"), "nodeName"):
        made["nodeName"] = node
    if name := of_pods.hostname(pod, service):
        made["hostname"] = name
    return made


def repacked(subsets: Iterable[JsonObject]) -> list[JsonObject]:
    """The subsets in their shortest form, in order. What is not ready for a port is not, whoever says otherwise."""
    known: dict[Address, JsonObject] = {}
    by_port: dict[Port | None, dict[Address, bool]] = {}
    for subset in subsets:
        ports: list[Port | None] = [_port_key(each) for each in objects(subset, "ports")]
        for port in ports or [None]:
            ready_ones = by_port.setdefault(port, {})
            for which, ready in (("addresses", True), ("notReadyAddresses", False)):
                for address in objects(subset, which):
                    key = _address_key(address)
                    known.setdefault(key, address)
                    ready_ones[key] = ready_ones.get(key, True) and ready
    alike: dict[tuple[tuple[Address, bool], ...], list[Port]] = {}
    for port, ready_ones in by_port.items():
        having = alike.setdefault(tuple(sorted(ready_ones.items())), [])
        if port is not None:
            having.append(port)
    made = [_subset(members, having, known) for members, having in alike.items()]
    return sorted(made, key=_order)


def _subset(
    members: tuple[tuple[Address, bool], ...], ports: list[Port], known: dict[Address, JsonObject]
) -> JsonObject:
    made: JsonObject = {}
    for which, ready in (("addresses", True), ("notReadyAddresses", False)):
        listed: list[Json] = [known[key] for key, state in members if state is ready]
        if listed:
            made[which] = listed
    if ports:
        written: list[Json] = [_written(port) for port in sorted(ports, key=_port_order)]
        made["ports"] = written
    return made


def _written(port: Port) -> JsonObject:
    name, number, protocol, of_application = port
    made: JsonObject = {"name": name} if name else {}
    made |= {"port": number, "protocol": protocol}
    return made if of_application is None else {**made, "appProtocol": of_application}


def _order(subset: JsonObject) -> tuple[list[tuple[str, int, str, str]], list[Address]]:
    ports = [_port_order(_port_key(each)) for each in objects(subset, "ports")]
    addresses = [_address_key(each) for each in (*objects(subset, "addresses"), *objects(subset, "notReadyAddresses"))]
    return ports, addresses


def _port_order(port: Port) -> tuple[str, int, str, str]:
    return *port[:3], port[3] or ""


def _port_key(port: JsonObject) -> Port:
    number = port.get("port")
    known = number if isinstance(number, int) else 0
    return text(port, "name"), known, text(port, "protocol") or "TCP", pointer(port, "appProtocol")


def _address_key(address: JsonObject) -> Address:
    return text(address, "ip"), text(member(address, "targetRef"), "uid")


def changed(
    service: JsonObject, subsets: list[JsonObject], current: JsonObject | None, moment: str
) -> JsonObject | None:
    """The Endpoints to be stored; None where those that are there are right."""
    if current is not None and _is_right(service, subsets, current):
        return None
    of = member(service, "metadata")
    base: JsonObject = {"apiVersion": "v1", "kind": "Endpoints"} if current is None else current
    metadata = {"name": of.get("name"), "namespace": of.get("namespace")} | member(base, "metadata")
    notes: JsonObject = {**member(metadata, "annotations")}
    for name in (CHANGED_AT, _OVER_CAPACITY):
        notes.pop(name, None)
    if moment:
        notes[CHANGED_AT] = moment
    kept = _at_most(subsets)
    if kept is not subsets:
        notes[_OVER_CAPACITY] = _TRUNCATED
    labels: JsonObject = {**strings(of, "labels")}
    labels.pop(HEADLESS, None)
    if not has_address(service):
        labels[HEADLESS] = ""
    labels[MANAGED_BY] = MANAGER
    listed: list[Json] = list(kept)
    return {**base, "metadata": {**metadata, "labels": labels, "annotations": notes}, "subsets": listed}


def _is_right(service: JsonObject, subsets: list[JsonObject], current: JsonObject) -> bool:
    of = member(current, "metadata")
    labels = strings(of, "labels")
    if labels.pop(MANAGED_BY, None) != MANAGER:
        return False
    labels.pop(HEADLESS, None)
    there = objects(current, "subsets")
    count = sum(len(objects(each, "addresses")) + len(objects(each, "notReadyAddresses")) for each in there)
    return (
        labels == strings(member(service, "metadata"), "labels")
        and count <= _MOST
        and _OVER_CAPACITY not in member(of, "annotations")
        and _bare(repacked(there)) == _bare(subsets)
    )


def _bare(subsets: list[JsonObject]) -> list[JsonObject]:
    """The subsets without the versions of what they are of."""
    found: list[JsonObject] = []
    for subset in subsets:
        made: JsonObject = {**subset}
        for which in ("addresses", "notReadyAddresses"):
            if which in made:
                made[which] = [_without_version(each) for each in objects(subset, which)]
        found.append(made)
    return found


def _without_version(address: JsonObject) -> JsonObject:
    of = member(address, "targetRef")
    if "resourceVersion" not in of:
        return address
    return {**address, "targetRef": {name: value for name, value in of.items() if name != "resourceVersion"}}


def _at_most(subsets: list[JsonObject]) -> list[JsonObject]:
    """The subsets with a thousand addresses at most, each with its share; those that are ready come first."""
    ready = sum(len(objects(each, "addresses")) for each in subsets)
    waiting = sum(len(objects(each, "notReadyAddresses")) for each in subsets)
    if ready + waiting <= _MOST:
        return subsets
    which, total, most = ("addresses", ready, _MOST) if ready > _MOST else ("notReadyAddresses", waiting, _MOST - ready)
    left, found = most, list[JsonObject]()
    for subset in subsets:
        there = objects(subset, which)
        kept: list[Json] = list(there[: min(math.ceil(len(there) / total * most), left)])
        left -= len(kept)
        made = {**subset, which: kept}
        if which == "addresses":
            made.pop("notReadyAddresses", None)
        found.append(made)
    return found
