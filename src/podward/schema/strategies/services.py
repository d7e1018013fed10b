"""Services.

Specification: Kubernetes, validateService and its parts, ValidateServiceUpdate, the strategies in
pkg/registry/core/service, pkg/api/service warnings. Addresses and ports that the server gives are in the object before
it is validated (`service_allocation`). What goes with one type of Service alone goes when the type does, if the client
did not change it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import ip, names, object_meta, service_addresses, service_ports, service_warnings
from podward.schema.strategies.kind import changes, in_order, keeping, without
from podward.schema.strategies.service_addresses import is_headless
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation import labels
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
    unsupported,
    unsupported_text,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, pointer, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.values import PORT
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS, _AFFINITIES, _POLICIES = ("SCTP", "TCP", "UDP"), ("ClientIP", "None"), ("Cluster", "Local")
_DISTRIBUTIONS, _IP_MODES = ("PreferClose", "PreferSameZone", "PreferSameNode"), ("Proxy", "VIP")
_LONGEST_AFFINITY = 86400
_HINTS, _MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_BALANCED = "may only be used when `type` is 'LoadBalancer'"
_NOT_EXTERNAL, _ONCE = "may not be set for ExternalName services", "may not change once set"
_LOCAL = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
_ANNOTATIONS = ROOT / "metadata" / "annotations"


def _service(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec, kind = member(obj, "spec"), text(member(obj, "spec"), "type")
    before = {} if old is None else member(old, "spec")
    ports = objects(spec, "ports")
    return merge(
        _topology(member(member(obj, "metadata"), "annotations")),
        required(SPEC / "ports") if not ports and not is_headless(spec) and kind != "ExternalName" else NOTHING,
        _of_type(spec, kind),
        service_ports.check(ports),
        labels.of("selector")(spec, Scope(WALKS, "", obj), SPEC) if spec.get("selector") else NOTHING,
        _affinity(spec),
        service_addresses.check(spec, texts(before, "clusterIPs")),
        _external_addresses(spec, texts(before, "externalIPs")),
        _known_type(kind),
        service_ports.numbers(ports, kind),
        _source_ranges(obj, old),
        _balancer(spec, kind),
        _external_policy(spec),
        _policies(spec, kind),
    )


def _topology(annotations: JsonObject) -> Decision:
    if _HINTS not in annotations or _MODE not in annotations or annotations[_HINTS] == annotations[_MODE]:
        return NOTHING
    detail = f"must match annotations[{_HINTS}] when both are specified"
    return invalid(_ANNOTATIONS / Key(_MODE), text(annotations, _MODE), detail)


def _of_type(spec: JsonObject, kind: str) -> Decision:
    if kind in {"LoadBalancer", "NodePort"} and is_headless(spec):
        return invalid(SPEC / "clusterIPs" / 0, "None", f"may not be set to 'None' for {kind} services")
    if kind != "ExternalName":
        return NOTHING
    found = [forbidden(SPEC / name, _NOT_EXTERNAL) for name in ("clusterIPs", "ipFamilies") if spec.get(name)]
    if spec.get("ipFamilyPolicy") is not None:
        found.append(forbidden(SPEC / "ipFamilyPolicy", _NOT_EXTERNAL))
    name, place = text(spec, "externalName").removesuffix("."), SPEC / "externalName"
    return merge(*found, each(place, name, subdomain_faults(name)) if name else required(place))


def _known_type(kind: str) -> Decision:
    if not kind:
        return required(SPEC / "type")
    return NOTHING if kind in _TYPES else unsupported(SPEC / "type", kind, _TYPES)


# --- who is served, and from where ------------------------------------------------------------------------------------


def _affinity(spec: JsonObject) -> Decision:
    kind, place, config = (
        text(spec, "sessionAffinity"),
        SPEC / "sessionAffinityConfig",
        spec.get("sessionAffinityConfig"),
    )
    if not kind:
        return required(SPEC / "sessionAffinity")
    if kind not in _AFFINITIES:
        return unsupported(SPEC / "sessionAffinity", kind, _AFFINITIES)
    if kind == "None":
        detail = "must not be set when session affinity is None"
        return NOTHING if config is None else forbidden(place, detail)
    return _client_affinity(config, place)


def _client_affinity(config: Json, place: Place) -> Decision:
    missing = "when session affinity type is ClientIP"
    if not isinstance(config, dict):
        return required(place, missing)
    client = config.get("clientIP")
    if not isinstance(client, dict):
        return required(place / "clientIP", missing)
    if client.get("timeoutSeconds") is None:
        return required(place / "clientIP" / "timeoutSeconds", missing)
    seconds = number(client, "timeoutSeconds")
    if 0 < seconds <= _LONGEST_AFFINITY:
        return NOTHING
    detail = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
    return invalid(place / "clientIP" / "timeoutSeconds", seconds, detail)


def _external_addresses(spec: JsonObject, stored: Collection[str]) -> Decision:
    found: list[Decision] = []
    for index, value in enumerate(texts(spec, "externalIPs")):
        place = SPEC / "externalIPs" / index
        wrong = ip.address(value, place, stored)
        found.append(wrong if wrong is not NOTHING else ip.of_endpoint(value, place))
    return merge(*found)


def _source_ranges(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec, annotations = member(obj, "spec"), member(member(obj, "metadata"), "annotations")
    kind, written = text(spec, "type"), [value.strip() for value in texts(spec, "loadBalancerSourceRanges")]
    before = {} if old is None else old
    if written:
        place = SPEC / "LoadBalancerSourceRanges"
        stored = [value.strip() for value in texts(member(before, "spec"), "loadBalancerSourceRanges")]
        found = [] if kind == "LoadBalancer" else [forbidden(place, _BALANCED)]
        found += [ip.address_range(value, place / index, stored) for index, value in enumerate(written)]
        return merge(*found)
    if _RANGES not in annotations:
        return NOTHING
    place, value = _ANNOTATIONS / Key(_RANGES), text(annotations, _RANGES)
    found = [] if kind == "LoadBalancer" else [forbidden(place, _BALANCED)]
    if old is None or value != text(member(member(before, "metadata"), "annotations"), _RANGES):
        ranges = value.strip().split(",") if value.strip() else []
        found += [ip.address_range(each_range.strip(), place) for each_range in ranges]
    return merge(*found)


# --- balancing and policies -------------------------------------------------------------------------------------------


def _balancer(spec: JsonObject, kind: str) -> Decision:
    allocates, found = spec.get("allocateLoadBalancerNodePorts"), NOTHING
    if kind != "LoadBalancer" and allocates is not None:
        found = forbidden(SPEC / "allocateLoadBalancerNodePorts", _BALANCED)
    if kind == "LoadBalancer" and allocates is None:
        found = required(ROOT / "allocateLoadBalancerNodePorts")
    return found + _class(spec, kind)


def _class(spec: JsonObject, kind: str) -> Decision:
    name, place = pointer(spec, "loadBalancerClass"), SPEC / "loadBalancerClass"
    if name is None:
        return NOTHING
    return each(place, name, key_faults(name)) if kind == "LoadBalancer" else forbidden(place, _BALANCED)


def is_external(spec: JsonObject) -> bool:
    """Whether the Service is reached from outside the cluster."""
    kind = text(spec, "type")
    return kind in {"LoadBalancer", "NodePort"} or (kind == "ClusterIP" and bool(spec.get("externalIPs")))


def is_checked(spec: JsonObject) -> bool:
    """Whether nodes tell a balancer about the Service's health, on a port of their own."""
    return text(spec, "type") == "LoadBalancer" and text(spec, "externalTrafficPolicy") == "Local"


def _external_policy(spec: JsonObject) -> Decision:
    policy, place, found = text(spec, "externalTrafficPolicy"), SPEC / "externalTrafficPolicy", NOTHING
    if not is_external(spec):
        if policy:
            found = invalid(place, policy, "may only be set for externally-accessible services")
    elif not policy:
        found = required(place)
    elif policy not in _POLICIES:
        found = unsupported(place, policy, _POLICIES)
    port, place = number(spec, "healthCheckNodePort"), SPEC / "healthCheckNodePort"
    if not is_checked(spec):
        return found + invalid(place, port, _LOCAL) if port else found
    return found + (refused(place, port, PORT.reasons(port)) if port else required(place))


def _policies(spec: JsonObject, kind: str) -> Decision:
    policy, place, found = pointer(spec, "internalTrafficPolicy"), SPEC / "internalTrafficPolicy", NOTHING
    if policy is None and kind in {"NodePort", "LoadBalancer", "ClusterIP"}:
        found = required(place)
    if policy is not None and policy not in _POLICIES:
        found = unsupported(place, policy, _POLICIES)
    distribution = pointer(spec, "trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        found += unsupported_text(SPEC / "trafficDistribution", distribution, _DISTRIBUTIONS)
    return found


# --- changes ----------------------------------------------------------------------------------------------------------


def _changed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before = member(obj, "spec"), member(old, "spec")
    return merge(
        service_addresses.changed(spec, before),
        _same_class(spec, before),
        _same_health_port(spec, before),
        _service(obj, old),
    )


def _same_class(spec: JsonObject, before: JsonObject) -> Decision:
    kind, name, found = text(spec, "type"), spec.get("loadBalancerClass"), NOTHING
    both = kind == "LoadBalancer" and text(before, "type") == "LoadBalancer"
    if both and name != before.get("loadBalancerClass"):
        found = invalid_value(SPEC / "loadBalancerClass", name, _ONCE)
    return found + _class(spec, kind)


def _same_health_port(spec: JsonObject, before: JsonObject) -> Decision:
    same = number(spec, "healthCheckNodePort") == number(before, "healthCheckNodePort")
    if same or not (is_checked(spec) and is_checked(before)):
        return NOTHING
    return forbidden(SPEC / "healthCheckNodePort", "field is immutable")


def _prepared(obj: JsonObject, old: JsonObject) -> JsonObject:
    spec, before = dict(member(obj, "spec")), member(old, "spec")
    kind, was = text(spec, "type"), text(before, "type")
    if kind == "ExternalName" and was != "ExternalName":
        groups = (("clusterIP", "clusterIPs"), ("ipFamilies",), ("ipFamilyPolicy",), ("internalTrafficPolicy",))
        _drop_unchanged(spec, before, *groups)
    on_nodes = {"NodePort", "LoadBalancer"}
    if was in on_nodes and kind not in on_nodes:
        _drop_node_ports(spec, before)
    if is_checked(before) and not is_checked(spec):
        _drop_unchanged(spec, before, ("healthCheckNodePort",))
    if was == "LoadBalancer" and kind != "LoadBalancer":
        _drop_unchanged(spec, before, ("allocateLoadBalancerNodePorts",), ("loadBalancerClass",))
    if is_external(before) and not is_external(spec):
        _drop_unchanged(spec, before, ("externalTrafficPolicy",))
    made = keeping("status")({**obj, "spec": spec}, old)
    return made if kind == "LoadBalancer" or "status" not in made else {**made, "status": {"loadBalancer": {}}}


def _drop_unchanged(spec: JsonObject, before: JsonObject, *groups: tuple[str, ...]) -> None:
    """Take out each group of fields that is as it is stored."""
    for names_of in groups:
        if all((spec.get(name) or None) == (before.get(name) or None) for name in names_of):
            for name in names_of:
                spec.pop(name, None)


def _drop_node_ports(spec: JsonObject, before: JsonObject) -> None:
    """Take out the ports of nodes, unless there are new ones."""
    ports = objects(spec, "ports")
    if ports and _node_ports(spec) <= _node_ports(before):
        spec["ports"] = [{name: value for name, value in port.items() if name != "nodePort"} for port in ports]


def _node_ports(spec: JsonObject) -> set[int]:
    return {number(port, "nodePort") for port in objects(spec, "ports") if number(port, "nodePort")}


def ingress_status(status: JsonObject, before: JsonObject, at: Place, *, balanced: bool) -> Decision:
    """The addresses at which a balancer serves; `at` is where they are, of a Service or an Ingress."""
    written = objects(status, "ingress")
    if written and not balanced:
        return forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")
    stored = [text(each_one, "ip") for each_one in objects(before, "ingress")]
    found: list[Decision] = []
    for index, one in enumerate(written):
        place, value, mode, host = at / index, text(one, "ip"), pointer(one, "ipMode"), text(one, "hostname")
        if value:
            found.append(ip.address(value, place / "ip", stored))
        if mode is None:
            found.append(required(place / "ipMode", "must be specified when `ip` is set") if value else NOTHING)
        elif not value:
            found.append(forbidden(place / "ipMode", "may not be specified when `ip` is not set"))
        elif mode not in _IP_MODES:
            found.append(unsupported(place / "ipMode", mode, _IP_MODES))
        if host:
            found.append(host_name(host, place / "hostname"))
    return merge(*found)


def host_name(host: str, at: Place) -> Decision:
    """Refuse what is no name of a host, or an address."""
    found = each(at, host, subdomain_faults(host))
    return found if ip.parsed(host) is None else found + invalid(at, host, "must be a DNS name, not an IP address")


def _status(obj: JsonObject, old: JsonObject) -> Decision:
    now, before = (member(member(each_one, "status"), "loadBalancer") for each_one in (obj, old))
    balanced = text(member(obj, "spec"), "type") == "LoadBalancer"
    return ingress_status(now, before, ROOT / "status" / "loadBalancer" / "ingress", balanced=balanced)


# --- strategies -------------------------------------------------------------------------------------------------------


SERVICE = Strategy(
    validate=in_order(object_meta.new(names.LABEL, namespaced=True), lambda obj: _service(obj, None)),
    validate_update=changes(object_meta.changed, _changed),
    prepare_for_create=without("status"),
    prepare_for_update=_prepared,
    warnings=service_warnings.of_service,
    allow_create_on_update=True,
)
SERVICE_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status),
    prepare_for_update=keeping_spec(),
    warnings=service_warnings.of_status,
)
