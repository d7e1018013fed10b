"""Endpoints and EndpointSlices.

Specification: Kubernetes, ValidateEndpoints, pkg/apis/discovery/validation and the strategies of both. What is stored
and has not changed may stay as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema.strategies import ip, names, object_meta
from podward.schema.strategies.equality import same, same_but
from podward.schema.strategies.kind import changes, first_generation, in_order, raised
from podward.schema.strategies.service_ports import protocol
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation import labels
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    invalid,
    invalid_value,
    refused,
    required,
    too_many,
    unsupported,
)
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import number, pointer, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.values import PORT
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_MANAGED = "endpointslice.kubernetes.io/managed-by"
_CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_MOST_ENDPOINTS, _MOST_ADDRESSES, _MOST_PORTS, _MOST_HINTS, _MOST_LABELS = 1000, 100, 20_000, 8, 16
_SUBSETS, _ENDPOINTS, _PORTS, _TYPE = ROOT / "subsets", ROOT / "endpoints", ROOT / "ports", ROOT / "addressType"


# --- Endpoints --------------------------------------------------------------------------------------------------------


def _subsets(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    for index, subset in enumerate(objects(obj, "subsets")):
        place, ports = _SUBSETS / index, objects(subset, "ports")
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            found.append(required(place, "must specify `addresses` or `notReadyAddresses`"))
        for listed in ("addresses", "notReadyAddresses"):
            for number_of, address in enumerate(objects(subset, listed)):
                found.append(_address(address, place / listed / number_of))
        for number_of, port in enumerate(ports):
            found.append(_port(port, place / "ports" / number_of, named=len(ports) > 1))
    return merge(*found)


def _address(address: JsonObject, at: Place) -> Decision:
    value, host, node = text(address, "ip"), text(address, "hostname"), pointer(address, "nodeName")
    found = [ip.address(value, at / "ip")]
    if host:
        found.append(each(at / "hostname", host, label_faults(host)))
    if node is not None:
        found.append(each(at / "nodeName", node, subdomain_faults(node)))
    return merge(*found, ip.of_endpoint(value, at / "ip"))


def _port(port: JsonObject, at: Place, *, named: bool) -> Decision:
    name, value, found = text(port, "name"), number(port, "port"), NOTHING
    if name:
        found = each(at / "name", name, label_faults(name))
    elif named:
        found = required(at / "name")
    found += refused(at / "port", value, PORT.reasons(value)) + protocol(port, at)
    return found + _application(port, at)


def _application(port: JsonObject, at: Place) -> Decision:
    name = pointer(port, "appProtocol")
    return NOTHING if name is None else each(at / "appProtocol", name, key_faults(name))


def _changed_subsets(obj: JsonObject, old: JsonObject) -> Decision:
    return NOTHING if same(obj.get("subsets"), old.get("subsets")) else _subsets(obj)


def _warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    managed = text(member(member(obj, "metadata"), "labels"), "endpoints.kubernetes.io/managed-by")
    if managed == "endpoint-controller":
        return ()
    found: list[str] = []
    for index, subset in enumerate(objects(obj, "subsets")):
        for listed in ("addresses", "notReadyAddresses"):
            for number_of, address in enumerate(objects(subset, listed)):
                place = path("subsets", index, listed, number_of, "ip")
                found += ip.warned(text(address, "ip"), place)
    return tuple(found)


_META = object_meta.new(names.SUBDOMAIN, namespaced=True)
ENDPOINTS = Strategy(
    validate=in_order(_META, _subsets),
    validate_update=changes(object_meta.changed, lambda obj, _old: _META(obj), _changed_subsets),
    warnings=_warnings,
    allow_create_on_update=True,
)


# --- EndpointSlices ---------------------------------------------------------------------------------------------------


def _slice(obj: JsonObject) -> Decision:
    return merge(_slice_type(obj), _slice_ports(obj), _slice_endpoints(obj))


def _slice_type(obj: JsonObject) -> Decision:
    kind = text(obj, "addressType")
    if not kind:
        return required(_TYPE)
    return NOTHING if kind in _ADDRESS_TYPES else unsupported(_TYPE, kind, _ADDRESS_TYPES)


def _slice_ports(obj: JsonObject) -> Decision:
    ports = objects(obj, "ports")
    if len(ports) > _MOST_PORTS:
        return too_many(_PORTS, len(ports), _MOST_PORTS)
    found: list[Decision] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        place, name = _PORTS / index, text(port, "name")
        if name:
            found.append(each(place / "name", name, label_faults(name)))
        if name in seen:
            found.append(duplicate(place / "name", name))
        seen.add(name)
        if port.get("protocol") == "":
            found.append(unsupported(place / "protocol", "", ("SCTP", "TCP", "UDP")))
        else:
            found.append(protocol(port, place))
        found.append(_application(port, place))
    return merge(*found)


def _slice_endpoints(obj: JsonObject) -> Decision:
    endpoints, kind = objects(obj, "endpoints"), text(obj, "addressType")
    if len(endpoints) > _MOST_ENDPOINTS:
        return too_many(_ENDPOINTS, len(endpoints), _MOST_ENDPOINTS)
    return merge(*[_endpoint(endpoint, kind, _ENDPOINTS / index) for index, endpoint in enumerate(endpoints)])


def _endpoint(endpoint: JsonObject, kind: str, at: Place) -> Decision:
    place, addresses = at / "addresses", texts(endpoint, "addresses")
    found: list[Decision] = []
    if not addresses:
        found.append(required(place, "must contain at least 1 address"))
    elif len(addresses) > _MOST_ADDRESSES:
        found.append(too_many(place, len(addresses), _MOST_ADDRESSES))
    found += [_slice_address(address, kind, place, index) for index, address in enumerate(addresses)]
    node, host = pointer(endpoint, "nodeName"), pointer(endpoint, "hostname")
    if node is not None:
        found.append(each(at / "nodeName", node, subdomain_faults(node)))
    topology = member(endpoint, "deprecatedTopology")
    if topology:
        if len(topology) > _MOST_LABELS:
            found.append(too_many(at / "deprecatedTopology", len(topology), _MOST_LABELS))
        found.append(labels.of("deprecatedTopology")(endpoint, Scope(WALKS, "", endpoint), at))
    if host is not None:
        found.append(each(at / "hostname", host, label_faults(host)))
    hints = endpoint.get("hints")
    return merge(*found, _hints(hints, at / "hints") if isinstance(hints, dict) else NOTHING)


def _slice_address(address: str, kind: str, at: Place, index: int) -> Decision:
    if kind == "FQDN":
        return _host(address, at / index)
    if kind not in {"IPv4", "IPv6"}:
        return NOTHING
    wrong = (ip.address if kind == "IPv4" else ip.canonical_address)(address, at / index)
    if wrong is not NOTHING:
        return wrong
    found = NOTHING
    if ip.is_version_6(address) is not (kind == "IPv6"):
        found = invalid(at, address, f"must be an {kind} address")
    return found + ip.of_endpoint(address, at / index)


def _host(name: str, at: Place) -> Decision:
    """A domain of two parts at least, with or without a dot at its end."""
    if not name:
        return required(at)
    bare = name.removesuffix(".")
    faults = subdomain_faults(bare)
    if faults:
        return invalid(at, bare, ",".join(faults))
    parts = bare.split(".")
    if len(parts) < 2:
        return invalid(at, bare, "should be a domain with at least two segments separated by dots")
    for part in parts:
        if label_faults(part):
            return invalid(at, part, ",".join(label_faults(part)))
    return NOTHING


def _hints(hints: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    for listed, faults_of in (("forZones", value_faults), ("forNodes", subdomain_faults)):
        written, seen = objects(hints, listed), set[str]()
        if len(written) > _MOST_HINTS:
            return merge(*found, too_many(at / listed, len(written), _MOST_HINTS))
        for index, hint in enumerate(written):
            place, name = at / listed / index / "name", text(hint, "name")
            if name in seen:
                found.append(duplicate(place, name))
            seen.add(name)
            found.append(each(place, name, faults_of(name)))
    return merge(*found)


def _changed_slice(obj: JsonObject, old: JsonObject) -> Decision:
    found = [_META(obj), _slice_type(obj), _slice_ports(obj)]
    if not same(obj.get("endpoints"), old.get("endpoints")):
        found.append(_slice_endpoints(obj))
    if text(obj, "addressType") != text(old, "addressType"):
        found.append(invalid_value(_TYPE, text(obj, "addressType"), "field is immutable"))
    return merge(*found)


def _new_slice(obj: JsonObject) -> JsonObject:
    return _without_topology(first_generation(obj))


def _slice_prepared(obj: JsonObject, old: JsonObject) -> JsonObject:
    of, before = member(obj, "metadata"), member(old, "metadata")
    if not same_but(obj, old, "metadata") or not same(of.get("labels"), before.get("labels")):
        obj = raised(obj, old)
    return obj if same(obj.get("endpoints"), old.get("endpoints")) else _without_topology(obj)


def _without_topology(obj: JsonObject) -> JsonObject:
    """The old labels of where an endpoint is go, as nobody reads them any more."""
    if not any(endpoint.get("deprecatedTopology") for endpoint in objects(obj, "endpoints")):
        return obj
    made: list[Json] = [
        {name: value for name, value in endpoint.items() if name != "deprecatedTopology"}
        for endpoint in objects(obj, "endpoints")
    ]
    return {**obj, "endpoints": made}


def _slice_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    found = (
        ["spec.addressType: FQDN endpoints are deprecated"] if old is None and obj.get("addressType") == "FQDN" else []
    )
    if text(member(member(obj, "metadata"), "labels"), _MANAGED) in _CONTROLLERS:
        return tuple(found)
    for index, endpoint in enumerate(objects(obj, "endpoints")):
        for number_of, address in enumerate(texts(endpoint, "addresses")):
            if ip.parsed(address) is not None:
                found += ip.warned(address, path("endpoints", index, "addresses", number_of))
    return tuple(found)


ENDPOINT_SLICE = Strategy(
    validate=in_order(_META, _slice),
    validate_update=_changed_slice,
    prepare_for_create=_new_slice,
    prepare_for_update=_slice_prepared,
    warnings=_slice_warnings,
)
