"""NetworkPolicies, IPAddresses and ServiceCIDRs.

Specification: Kubernetes, pkg/apis/networking/validation and the strategies in pkg/registry/networking. A peer is a
block of addresses or Pods, not both; of a block only parts of it are excepted. Ranges that are stored may stay as they
are.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema.strategies import ip, names, object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.kind import changes, first_generation, in_order, keeping, next_generation, without
from podward.schema.strategies.names import NameRule, segment_faults
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.ports import name_faults
from podward.schema.validation.raw import pointer, text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.values import PORT
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_PROTOCOLS, _DIRECTIONS = ("TCP", "UDP", "SCTP"), ("Ingress", "Egress")
_SIDES = (("ingress", "from"), ("egress", "to"))
_FIXED = "field is immutable"


# --- NetworkPolicies --------------------------------------------------------------------------------------------------


def _policy(obj: JsonObject, stored: Collection[str]) -> Decision:
    spec = member(obj, "spec")
    found = [_selector(spec, "podSelector", SPEC)]
    for side, peers in _SIDES:
        for index, rule in enumerate(objects(spec, side)):
            place = SPEC / side / index
            found += [_port(port, place / "ports" / nth) for nth, port in enumerate(objects(rule, "ports"))]
            found += [_peer(peer, place / peers / nth, stored) for nth, peer in enumerate(objects(rule, peers))]
    types, place = texts(spec, "policyTypes"), SPEC / "policyTypes"
    if len(types) > len(_DIRECTIONS):
        shown: Json = [*types]
        return merge(*found, invalid_value(place, shown, "may not specify more than two policyTypes"))
    unknown = [(index, kind) for index, kind in enumerate(types) if kind not in _DIRECTIONS]
    return merge(*found, *[unsupported(place / index, kind, _DIRECTIONS) for index, kind in unknown])


def _selector(holder: JsonObject, name: str, at: Place) -> Decision:
    selector = holder.get(name)
    if not isinstance(selector, dict):
        return NOTHING
    return WALKS["LabelSelector"](selector, Scope(WALKS, "", holder), at / name)


def _port(port: JsonObject, at: Place) -> Decision:
    protocol, value, last, found = pointer(port, "protocol"), port.get("port"), port.get("endPort"), NOTHING
    of_last = at / "endPort"
    if protocol is not None and protocol not in _PROTOCOLS:
        found = unsupported(at / "protocol", protocol, _PROTOCOLS)
    end = last if type(last) is int else None
    if isinstance(value, str):
        if end is not None:
            found += invalid(of_last, end, "may not be specified when `port` is non-numeric")
        return found + each(at / "port", value, name_faults(value))
    if type(value) is not int:
        return (
            found if end is None else found + invalid(of_last, end, "may not be specified when `port` is not specified")
        )
    found += refused(at / "port", value, PORT.reasons(value))
    if end is None:
        return found
    if end < value:
        found += invalid(of_last, value, "must be greater than or equal to `port`")
    return found + refused(of_last, end, PORT.reasons(end))


def _peer(peer: JsonObject, at: Place, stored: Collection[str]) -> Decision:
    found = [_selector(peer, name, at) for name in ("podSelector", "namespaceSelector")]
    count = sum(1 for name in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(name) is not None)
    block = peer.get("ipBlock")
    if isinstance(block, dict):
        found.append(_block(block, at / "ipBlock", stored))
    if not count:
        found.append(required(at, "must specify a peer"))
    elif count > 1 and block is not None:
        found.append(forbidden(at, "may not specify both ipBlock and another peer"))
    return merge(*found)


def _block(block: JsonObject, at: Place, stored: Collection[str]) -> Decision:
    whole = text(block, "cidr")
    if not whole:
        return required(at / "cidr")
    found, network = [ip.address_range(whole, at / "cidr", stored)], ip.network(whole)
    if network is None:
        return merge(*found)
    for index, value in enumerate(texts(block, "except")):
        place = at / "except" / index
        found.append(ip.address_range(value, place, stored))
        part = ip.network(value)
        if part is None:
            continue
        within = part.network_address in network and network.prefixlen < part.prefixlen
        found.append(NOTHING if within else invalid(place, value, "must be a strict subset of `cidr`"))
    return merge(*found)


def _stored(obj: JsonObject) -> list[str]:
    spec = member(obj, "spec")
    blocks = [
        member(peer, "ipBlock")
        for side, peers in _SIDES
        for rule in objects(spec, side)
        for peer in objects(rule, peers)
    ]
    return [value for block in blocks for value in (text(block, "cidr"), *texts(block, "except")) if value]


def _policy_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    spec, found = member(obj, "spec"), list[str]()
    for side, peers in _SIDES:
        for index, rule in enumerate(objects(spec, side)):
            for nth, peer in enumerate(objects(rule, peers)):
                block, place = member(peer, "ipBlock"), path("spec", side, index, peers, nth, "ipBlock")
                if block:
                    found += ip.range_warned(text(block, "cidr"), place / "cidr")
                for number_of, value in enumerate(texts(block, "except")):
                    found += ip.range_warned(value, place / "except" / number_of)
    return tuple(found)


NETWORK_POLICY = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), lambda obj: _policy(obj, ())),
    validate_update=changes(object_meta.changed, lambda obj, old: _policy(obj, _stored(old))),
    prepare_for_create=first_generation,
    prepare_for_update=next_generation,
    warnings=_policy_warnings,
)


# --- IPAddresses and ServiceCIDRs -------------------------------------------------------------------------------------


def _address_faults(name: str) -> list[str]:
    found = ip.canonical_address(name, SPEC)
    return [violation.reason.partition(": ")[2].rpartition('": ')[2] for violation in found.violations]


def _parent(obj: JsonObject) -> Decision:
    parent, place = member(obj, "spec").get("parentRef"), SPEC / "parentRef"
    if not isinstance(parent, dict):
        return required(place)
    group = text(parent, "group")
    found = [each(place / "group", group, subdomain_faults(group))] if group else []
    for name in ("resource", "name"):
        value = text(parent, name)
        found.append(each(place / name, value, segment_faults(value)) if value else required(place / name))
    namespace = text(parent, "namespace")
    return merge(*found, each(place / "namespace", namespace, segment_faults(namespace)))


def _same_parent(obj: JsonObject, old: JsonObject) -> Decision:
    now = member(obj, "spec").get("parentRef")
    if same(now, member(old, "spec").get("parentRef")):
        return NOTHING
    return invalid_value(SPEC / "parentRef", internal("*networking.ParentReference", now), _FIXED)


_NEW_ADDRESS = in_order(object_meta.new(NameRule(_address_faults, _address_faults), namespaced=False), _parent)
IP_ADDRESS = Strategy(
    validate=_NEW_ADDRESS,
    validate_update=changes(lambda obj, _old: _NEW_ADDRESS(obj), object_meta.changed, _same_parent),
    namespaced=False,
)


def _ranges(obj: JsonObject) -> Decision:
    ranges, place = texts(member(obj, "spec"), "cidrs"), SPEC / "cidrs"
    shown: Json = [*ranges]
    if not ranges:
        return required(place, "at least one CIDR required")
    if len(ranges) > 2:
        return invalid_value(place, {"CIDRs": shown}, "may only hold up to 2 values")
    found = [ip.canonical_range(value, place / index) for index, value in enumerate(ranges)]
    networks = [ip.network(value) for value in ranges]
    if (
        len(ranges) == 2
        and len({network.version for network in networks if network is not None}) == 1
        and all(networks)
    ):
        detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        found.append(invalid_value(place, shown, detail))
    return merge(*found)


def _more_ranges(obj: JsonObject, old: JsonObject) -> Decision:
    now, before, place = texts(member(obj, "spec"), "cidrs"), texts(member(old, "spec"), "cidrs"), SPEC / "cidrs"
    if len(now) == len(before):
        differ = [index for index, value in enumerate(before) if value != now[index]]
        return merge(*[invalid(place / index, now[index], _FIXED) for index in differ])
    if len(before) == 1 and len(now) == 2:
        first = NOTHING if now[0] == before[0] else invalid(place / 0, now[0], _FIXED)
        return first + _ranges(obj)
    return invalid_value(place, [*now] or None, _FIXED)


SERVICE_CIDR = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _ranges),
    validate_update=changes(object_meta.changed, _more_ranges),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
    namespaced=False,
)
SERVICE_CIDR_STATUS = Strategy(
    validate_update=object_meta.changed,
    prepare_for_update=object_meta.keeping_all_but_status,
    namespaced=False,
)
