"""Which addresses and ports a Service gets: decided by what is free, before the Service is validated.

Specification: Kubernetes, pkg/registry/core/service/storage alloc.go and storage.go, ipallocator and portallocator: the
family policy and the families are filled in, an address for each family and a port of the nodes for each port are taken
as the client asks, or as the server chooses. What the client leaves out of a replacement stays as it is stored. A dry
run takes nothing: it is told a network's own address, and ports that look like ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import ip, service_addresses
from podward.schema.strategies.services import is_checked
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import NOTHING, invalid, invalid_value
from podward.schema.validation.raw import number, pointer, text, texts

if TYPE_CHECKING:
    from podward.path import Path

_ADDRESSES, _POLICY = SPEC / "clusterIPs", SPEC / "ipFamilyPolicy"
_TAKEN_ADDRESS, _TAKEN_PORT = "provided IP is already allocated", "provided port is already allocated"
_OTHER_NETWORK = "the provided network does not match the current range"
_GUESSED_PORT = 32768


class Pools(Struct, frozen=True):
    """What Services can have, and what of it is free.

    `networks`: of each family its range, the cluster's first family first; `ports`: the first and the last of nodes.
    `next_address` chooses a free address of a family and `next_port` a free port, neither of them among those that this
    Service takes already; None where all are taken. `dry_run`: nothing is taken.
    """

    networks: Mapping[str, str]
    ports: tuple[int, int]
    is_address_taken: Callable[[str], bool]
    is_port_taken: Callable[[int], bool]
    next_address: Callable[[str], str | None]
    next_port: Callable[[frozenset[int]], int | None]
    dry_run: bool = False


class Allocation(Struct, frozen=True):
    """The Service with what it gets; what is taken for it, and given back once it is stored.

    `refused`: the client's fault, one or more; `failure`: the server's own, a sentence.
    """

    service: JsonObject
    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    released_addresses: tuple[str, ...] = ()
    released_ports: tuple[int, ...] = ()
    refused: Decision = NOTHING
    failure: str = ""


class _Stop(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, refused: Decision = NOTHING, failure: str = "") -> None:
        super().__init__(failure)
        self.refused = refused
        self.failure = failure


class _Work:
    """One allocation: the spec as it becomes, and what has been taken and given back."""

    def __init__(self, spec: JsonObject, pools: Pools) -> None:
        self.spec: JsonObject = dict(spec)
        self.pools = pools
        self.addresses: list[str] = []
        self.ports: list[int] = []
        self.released_addresses: list[str] = []
        self.released_ports: list[int] = []

    def done(self, service: JsonObject) -> Allocation:
        """What came of it."""
        made: JsonObject = {**service, "spec": self.spec}
        if self.pools.dry_run:
            return Allocation(made)
        released = tuple(port for port in self.released_ports if port not in self.ports)
        return Allocation(made, tuple(self.addresses), tuple(self.ports), tuple(self.released_addresses), released)


def new(service: JsonObject, pools: Pools) -> Allocation:
    """What a new Service gets."""
    work = _Work(member(service, "spec"), pools)
    address = text(work.spec, "clusterIP")
    if address and not work.spec.get("clusterIPs"):
        work.spec["clusterIPs"] = [address]
    try:
        _families(work, None)
        _take_addresses(work)
        if text(work.spec, "type") in {"NodePort", "LoadBalancer"}:
            _new_ports(work)
        if is_checked(work.spec):
            _health_port(work)
    except _Stop as stop:
        return Allocation(service, refused=stop.refused, failure=stop.failure)
    return work.done(service)


def change(service: JsonObject, old: JsonObject, pools: Pools) -> Allocation:
    """What a changed Service gets, keeps and gives back."""
    work, before = _Work(member(service, "spec"), pools), member(old, "spec")
    _as_stored(work.spec, before)
    _normalized(work.spec, before)
    try:
        if not _is_as_it_was(work.spec, before):
            _families(work, before)
            _change_addresses(work, before)
        _change_ports(work, before)
        if is_checked(work.spec) and not is_checked(before):
            _health_port(work)
    except _Stop as stop:
        return Allocation(service, refused=stop.refused, failure=stop.failure)
    if is_checked(before) and not is_checked(work.spec):
        work.released_ports.append(number(before, "healthCheckNodePort"))
    return work.done(service)


def released(service: JsonObject) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The addresses and ports that are free once the Service is gone."""
    spec = member(service, "spec")
    has_addresses = text(spec, "type") != "ExternalName" and not service_addresses.is_headless(spec)
    ports = _node_ports(spec)
    if is_checked(spec) and number(spec, "healthCheckNodePort"):
        ports.append(number(spec, "healthCheckNodePort"))
    return tuple(texts(spec, "clusterIPs")) if has_addresses else (), tuple(ports)


# --- what is left out stays -------------------------------------------------------------------------------------------


def _as_stored(spec: JsonObject, before: JsonObject) -> None:
    kind, was = text(spec, "type"), text(before, "type")
    if "ExternalName" not in {kind, was}:
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    if _wants_ports(spec) and _wants_ports(before):
        used = set(_node_ports(before)) & set(_node_ports(spec))
        stored = {text(port, "name"): number(port, "nodePort") for port in objects(before, "ports")}
        ports: list[Json] = []
        for port in objects(spec, "ports"):
            kept = stored.get(text(port, "name"), 0)
            given = not number(port, "nodePort") and kept and kept not in used
            ports.append({**port, "nodePort": kept} if given else port)
        if ports:
            spec["ports"] = ports
    if is_checked(spec) and is_checked(before) and not number(spec, "healthCheckNodePort"):
        spec["healthCheckNodePort"] = number(before, "healthCheckNodePort")


def _normalized(spec: JsonObject, before: JsonObject) -> None:
    """The first of the addresses is the address: whichever the client changed tells."""
    now, then = text(spec, "clusterIP"), text(before, "clusterIP")
    if before.get("clusterIPs") and not spec.get("clusterIPs") and now == then:
        spec["clusterIPs"] = before["clusterIPs"]
    if now == then or (spec.get("clusterIPs") or None) != (before.get("clusterIPs") or None):
        return
    if then and not now:
        spec.pop("clusterIPs", None)
    else:
        spec["clusterIPs"] = [now]


def _is_as_it_was(spec: JsonObject, before: JsonObject) -> bool:
    """Whether a Service that prefers both families has what it had."""
    policies = {pointer(spec, "ipFamilyPolicy"), pointer(before, "ipFamilyPolicy") or "PreferDualStack"}
    if policies != {"PreferDualStack"} or text(spec, "type") != text(before, "type"):
        return False
    lists = ("clusterIPs", "ipFamilies")
    return text(spec, "type") != "ExternalName" and all(texts(spec, name) == texts(before, name) for name in lists)


# --- families ---------------------------------------------------------------------------------------------------------


def _families(work: _Work, before: JsonObject | None) -> None:
    spec = work.spec
    if text(spec, "type") == "ExternalName":
        return
    without_selector = text(spec, "clusterIP") == "None" and not spec.get("selector")
    if spec.get("ipFamilyPolicy") is None:
        stored = None if before is None else before.get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = stored or ("RequireDualStack" if without_selector else "SingleStack")
    _refuse(service_addresses.check(spec, [] if before is None else texts(before, "clusterIPs")))
    _refuse(_policy_against(spec, before) + _single(spec) + _of_addresses(work))
    if without_selector:
        _headless_families(work)
        return
    _refuse(_configured(work))
    families, networks = texts(spec, "ipFamilies") or [_default(work)], work.pools.networks
    if spec["ipFamilyPolicy"] != "SingleStack" and len(families) == 1 and len(networks) == 2:
        families.append(_other(families[0]))
    spec["ipFamilies"] = [*families]


def _refuse(decision: Decision) -> None:
    if decision is not NOTHING:
        raise _Stop(decision)


def _policy_against(spec: JsonObject, before: JsonObject | None) -> Decision:
    """A second address and family go with the policy SingleStack, and with no other."""
    if before is None:
        return NOTHING
    policy, found = text(spec, "ipFamilyPolicy"), list[Decision]()
    for name, what in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        now, then = texts(spec, name), texts(before, name)
        if policy == "SingleStack":
            if now == then and len(now) > 1:
                spec[name] = [now[0]]
        elif now and len(now) < len(then):
            found.append(invalid(_POLICY, policy, f"must be 'SingleStack' to release the secondary {what}"))
    return merge(*found)


def _single(spec: JsonObject) -> Decision:
    if text(spec, "ipFamilyPolicy") != "SingleStack":
        return NOTHING
    detail = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
    listed = (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families"))
    wrong = [detail.format(what) for name, what in listed if len(texts(spec, name)) == 2]
    return merge(*[invalid(_POLICY, "SingleStack", sentence) for sentence in wrong])


def _of_addresses(work: _Work) -> Decision:
    """The families of addresses that the client asks for."""
    addresses, families = texts(work.spec, "clusterIPs"), texts(work.spec, "ipFamilies")
    found: list[Decision] = []
    for index, address in enumerate(addresses):
        if address == "None":
            break
        family = _family(address)
        if index < len(families):
            continue
        if family in work.pools.networks:
            families.append(family)
        else:
            shown: Json = [*addresses]
            found.append(invalid_value(_ADDRESSES / index, shown, f"{family} is not configured on this cluster"))
    if families:
        work.spec["ipFamilies"] = [*families]
    return merge(*found)


def _headless_families(work: _Work) -> None:
    families = texts(work.spec, "ipFamilies") or [_default(work)]
    if len(families) < 2 and text(work.spec, "ipFamilyPolicy") != "SingleStack":
        families.append(_other(families[0]))
    work.spec["ipFamilies"] = [*families]


def _configured(work: _Work) -> Decision:
    found, networks = list[Decision](), work.pools.networks
    if text(work.spec, "ipFamilyPolicy") == "RequireDualStack" and len(networks) < 2:
        detail = "this cluster is not configured for dual-stack services"
        found.append(invalid(_POLICY, "RequireDualStack", detail))
    for index, family in enumerate(texts(work.spec, "ipFamilies")):
        if family not in networks:
            found.append(invalid(SPEC / "ipFamilies" / index, family, "not configured on this cluster"))
    return merge(*found)


def _default(work: _Work) -> str:
    return next(iter(work.pools.networks))


def _other(family: str) -> str:
    return "IPv6" if family == "IPv4" else "IPv4"


def _family(address: str) -> str:
    return "IPv6" if ip.is_version_6(address) else "IPv4"


# --- addresses --------------------------------------------------------------------------------------------------------


def _take_addresses(work: _Work) -> None:
    spec = work.spec
    addresses = texts(spec, "clusterIPs")
    if text(spec, "type") == "ExternalName" or addresses[:1] == ["None"]:
        return
    for index, family in enumerate(texts(spec, "ipFamilies")):
        if index >= len(addresses):
            addresses.append("")
        addresses[index] = _address(work, family, addresses[index], texts(spec, "clusterIPs"))
    spec["clusterIPs"], spec["clusterIP"] = [*addresses], addresses[0]


def _address(work: _Work, family: str, asked: str, shown: list[str]) -> str:
    pools = work.pools
    network = ip_network(pools.networks[family])
    if not asked:
        chosen = str(network.network_address) if pools.dry_run else pools.next_address(family)
        if chosen is None:
            name = "failed to allocate a serviceIP for Service"
            raise _Stop(failure=f"{name}: range is full")
        work.addresses.append(chosen)
        return chosen
    wanted, fault = ip.parsed(asked), ""
    inside = wanted is not None and wanted in network and wanted != network.network_address
    if inside and network.version == 4:
        inside = wanted != network.broadcast_address
    if not inside:
        here = f"the provided IP ({wanted}) is not in the valid range. The range of valid IPs is {network}"
        fault = here if pools.dry_run else _OTHER_NETWORK
    elif not pools.dry_run and pools.is_address_taken(str(wanted)):
        fault = _TAKEN_ADDRESS
    if fault:
        printed: Json = [*shown]
        raise _Stop(invalid_value(_ADDRESSES, printed, f"failed to allocate IP {asked}: {fault}"))
    work.addresses.append(asked)
    return asked


def _change_addresses(work: _Work, before: JsonObject) -> None:
    spec = work.spec
    kind, was = text(spec, "type"), text(before, "type")
    if was == "ExternalName":
        if kind != "ExternalName":
            _take_addresses(work)
        return
    then, had = texts(before, "clusterIPs"), texts(before, "ipFamilies")
    if service_addresses.is_headless(before) or not then:
        return
    if kind == "ExternalName":
        work.released_addresses += then
        return
    families, addresses = texts(spec, "ipFamilies"), texts(spec, "clusterIPs")
    if len(had) == 1 and len(families) == 2 and families[1] in work.pools.networks:
        addresses = [*addresses, ""] if len(addresses) < 2 else addresses
        addresses[1] = _address(work, families[1], addresses[1], addresses)
        spec["clusterIPs"] = [*addresses]
    elif len(had) == 2 and len(families) == 1:
        work.released_addresses += then[1:2]


# --- ports ------------------------------------------------------------------------------------------------------------


def _wants_ports(spec: JsonObject) -> bool:
    kind = text(spec, "type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def _node_ports(spec: JsonObject) -> list[int]:
    return [number(port, "nodePort") for port in objects(spec, "ports") if number(port, "nodePort")]


def _new_ports(work: _Work) -> None:
    """A port number is the same node port for all its protocols, if the client does not say otherwise."""
    ports, given = objects(work.spec, "ports"), dict[int, int]()
    made: list[Json] = []
    for index, port in enumerate(ports):
        asked, own = number(port, "nodePort"), number(port, "port")
        if not asked and not _wants_ports(work.spec):
            made.append(port)
            continue
        place = SPEC / "ports" / index / "nodePort"
        chosen = given.get(own, 0)
        if not chosen:
            wanted = next((number(each, "nodePort") for each in ports if number(each, "port") == own and
                           number(each, "nodePort")), 0)  # fmt: skip
            chosen = given[own] = _port(work, wanted, place.path) if wanted else _next_port(work)
        elif asked and asked != chosen:
            chosen = _port(work, asked, place.path)
        made.append({**port, "nodePort": chosen})
    if made:
        work.spec["ports"] = made


def _port(work: _Work, asked: int, at: Path) -> int:
    pools = work.pools
    least, most = pools.ports
    fault = ""
    if not least <= asked <= most and not pools.dry_run:
        fault = f"provided port is not in the valid range. The range of valid ports is {least}-{most}"
    elif asked in work.ports or pools.is_port_taken(asked):
        fault = _TAKEN_PORT
    if fault:
        raise _Stop(invalid(at, asked, fault))
    work.ports.append(asked)
    return asked


def _next_port(work: _Work) -> int:
    pools = work.pools
    if pools.dry_run:
        chosen = (max(work.ports) if work.ports else _GUESSED_PORT) + 1
        while pools.is_port_taken(chosen):
            chosen += 1
    else:
        found = pools.next_port(frozenset(work.ports))
        if found is None:
            raise _Stop(failure="failed to allocate a nodePort: range is full")
        chosen = found
    work.ports.append(chosen)
    return chosen


def _change_ports(work: _Work, before: JsonObject) -> None:
    kind, was, on_nodes = text(work.spec, "type"), text(before, "type"), {"NodePort", "LoadBalancer"}
    had = _node_ports(before)
    if was in on_nodes and kind not in on_nodes:
        work.released_ports += had
    if kind not in on_nodes:
        return
    made: list[Json] = []
    for index, port in enumerate(objects(work.spec, "ports")):
        asked = number(port, "nodePort")
        if not asked and not _wants_ports(work.spec):
            made.append(port)
        elif asked:
            if asked not in had and asked not in work.ports:
                _port(work, asked, (SPEC / "ports" / index / "nodePort").path)
            made.append(port)
        else:
            made.append({**port, "nodePort": _next_port(work)})
    if made:
        work.spec["ports"] = made
    kept = _node_ports(work.spec)
    work.released_ports += [port for port in had if port not in kept]


def _health_port(work: _Work) -> None:
    asked = number(work.spec, "healthCheckNodePort")
    if not asked:
        work.spec["healthCheckNodePort"] = _next_port(work)
        return
    try:
        _port(work, asked, (SPEC / "healthCheckNodePort").path)
    except _Stop as stop:
        (wrong,) = stop.refused.violations
        fault = wrong.reason.partition(f"{asked}: ")[2]
        raise _Stop(failure=f"failed to allocate requested HealthCheck NodePort {asked}: {fault}") from None
