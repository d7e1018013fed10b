"""EndpointSlices as documents: what is in one, and when two are the same.

Specification: Kubernetes, k8s.io/endpointslice, utils.go and util/endpointset.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.api.json_value import Json, JsonObject
from podward.controllers.endpoints import pods as of_pods
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import pointer, strings, text, texts

SLICES = BY_PLURAL["discovery.k8s.io", "v1", "endpointslices"]
MANAGER = "endpointslice-controller.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
_RESERVED = frozenset((SERVICE_NAME, MANAGED_BY, HEADLESS))
_LONGEST_NAME = 253

PortsKey: TypeAlias = tuple[tuple[str, int, str, str], ...]
EndpointKey: TypeAlias = tuple[tuple[str, ...], str, str, str]
Endpoints: TypeAlias = dict[EndpointKey, JsonObject]


def endpoint_of(pod: JsonObject, node: JsonObject | None, service: JsonObject, family: str) -> JsonObject:
    """The endpoint that a Pod is."""
    serving, terminating = of_pods.is_ready(pod), of_pods.is_ending(pod)
    always = member(service, "spec").get("publishNotReadyAddresses") is True
    addresses: list[Json] = list(of_pods.addresses(pod, family))
    made: JsonObject = {
        "addresses": addresses,
        "conditions": {
            "ready": always or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": of_pods.reference(pod),
    }
    zone = text(member(member(node or {}, "metadata"), "labels"), "topology.kubernetes.io/zone")
    said = {
        "nodeName": text(member(pod, "spec"), "nodeName"),
        "zone": zone,
        "hostname": of_pods.hostname(pod, service),
    }
    return made | {name: value for name, value in said.items() if value}


def ports_of(spec: JsonObject, pod: JsonObject) -> list[JsonObject]:
    """The ports of a Service's spec, with the numbers that they have at the Pod."""
    found = []
    for port in objects(spec, "ports"):
        number = of_pods.port_number(pod, port)
        if number is None:
            continue
        made: JsonObject = {
            "name": text(port, "name"),
            "port": number,
            "protocol": text(port, "protocol") or "TCP",
        }
        if (protocol := pointer(port, "appProtocol")) is not None:
            made["appProtocol"] = protocol
        found.append(made)
    return found


def new_slice(service: JsonObject, ports: list[Json], family: str) -> JsonObject:
    """A slice of a Service without endpoints."""
    of = member(service, "metadata")
    owner: JsonObject = {
        "apiVersion": "v1",
        "kind": "Service",
        "name": of.get("name"),
        "uid": of.get("uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata: JsonObject = {
        "generateName": name_prefix(text(of, "name")),
        "namespace": of.get("namespace"),
        "labels": labels_of(service),
        "ownerReferences": [owner],
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": family,
        "endpoints": [],
        "ports": ports,
    }


def name_prefix(name: str) -> str:
    """What the names of a Service's slices begin with."""
    return f"{name}-" if len(name) < _LONGEST_NAME else name


def labels_of(service: JsonObject) -> JsonObject:
    """The labels of a Service's slices."""
    own = strings(member(service, "metadata"), "labels")
    made: JsonObject = {name: value for name, value in own.items() if name not in _RESERVED}
    if not has_address(service):
        made[HEADLESS] = ""
    made[SERVICE_NAME] = member(service, "metadata").get("name")
    made[MANAGED_BY] = MANAGER
    return made


def has_address(service: JsonObject) -> bool:
    """Whether the Service has an address of its own."""
    return member(service, "spec").get("clusterIP") not in {None, "", "None"}


def labels_differ(each: JsonObject, service: JsonObject) -> bool:
    """Whether the Service's own labels are not those of its slice."""
    there, wanted = strings(member(each, "metadata"), "labels"), strings(member(service, "metadata"), "labels")
    return {name: value for name, value in there.items() if name not in _RESERVED} != {
        name: value for name, value in wanted.items() if name not in _RESERVED
    }


def named(made: JsonObject, each: JsonObject) -> JsonObject:
    """The new slice in the place of one that is there."""
    return {**made, "metadata": {**member(made, "metadata"), "name": member(each, "metadata").get("name")}}


def ports_key(ports: Iterable[JsonObject]) -> PortsKey:
    """The same for lists of the same ports, in whatever order."""
    return tuple(
        sorted(
            (text(each, "name"), _number(each), text(each, "protocol") or "TCP", text(each, "appProtocol"))
            for each in ports
        )
    )


def _number(port: JsonObject) -> int:
    number = port.get("port")
    return number if isinstance(number, int) else 0


def endpoint_key(endpoint: JsonObject) -> EndpointKey:
    """The same for what is the same endpoint, in whatever condition it is."""
    of = member(endpoint, "targetRef")
    addresses = tuple(sorted(texts(endpoint, "addresses")))
    return addresses, text(endpoint, "hostname"), text(of, "namespace"), text(of, "name")


def same_endpoint(one: JsonObject, other: JsonObject) -> bool:
    """Whether nothing has changed about an endpoint."""
    if any(pointer(one, name) != pointer(other, name) for name in ("nodeName", "zone")):
        return False
    states, others = member(one, "conditions"), member(other, "conditions")
    if any(states.get(name) != others.get(name) for name in ("ready", "serving", "terminating")):
        return False
    reference, wanted = dict(member(one, "targetRef")), dict(member(other, "targetRef"))
    reference.pop("resourceVersion", None)
    wanted.pop("resourceVersion", None)
    return reference == wanted


def is_owned(each: JsonObject, service: JsonObject) -> bool:
    """Whether the Service owns the slice."""
    uid = member(service, "metadata").get("uid")
    return any(
        owner.get("uid") == uid and owner.get("kind") == "Service" and owner.get("apiVersion") == "v1"
        for owner in objects(member(each, "metadata"), "ownerReferences")
    )


def is_managed(each: JsonObject, manager: str) -> bool:
    """Whether this manager keeps the slice."""
    return member(member(each, "metadata"), "labels").get(MANAGED_BY) == manager
