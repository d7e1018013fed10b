"""Which endpoints each port of each Service leads to, seen from this machine.

Specification (kube-proxy, pkg/proxy: servicechangetracker, endpointslicecache, topology; in our words):
- A Service with an address of its own is served, unless it is an ExternalName or labelled as another proxy's. Slices
  belong to it by their label; a slice's port is the Service's port of the same name and protocol.
- An endpoint is ready, unless its condition says no; it is serving likewise; it is terminating where it says so.
- Policy Cluster: the ready endpoints, narrowed to those meant for this node, else for this zone, where every ready one
  has such a hint and one is meant for us. Policy Local: the ready ones on this node. Where none is ready, those that
  serve while they terminate, for each policy by itself.
- Without an endpoint anywhere connections are refused; where there are some, but none here and the policy is Local,
  packets are dropped.
- Clients that stay with their endpoint do so for `timeoutSeconds`, three hours where nothing is said.

Ours: several nodes may share one machine, its addresses and its netfilter. Then "on this node" is on this machine.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from msgspec import Struct
from msgspec.structs import replace

from podward.api.service import PROXY_NAME, Endpoint, EndpointSlice, Service, ServicePort

_AFFINITY_SECONDS = 10800
_PROTOCOLS = frozenset(("TCP", "UDP", "SCTP"))


class Machine(Struct, frozen=True):
    """What the proxy knows of where it is: the nodes of this machine, their zone, the ranges of their Pods.

    `bridged` says that packets between Pods of one bridge pass netfilter, so that answers find their way back. `names`
    is the address at which the cluster's names are asked for, where this machine answers.
    """

    nodes: frozenset[str] = frozenset()
    zone: str = ""
    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    bridged: bool = True
    names: str = ""


class Target(Struct, frozen=True, order=True):
    """An address and a port to send connections to; `here` says that it is on this machine."""

    ip: str
    port: int
    here: bool = False

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


class Route(Struct, frozen=True):
    """One port of a Service: where it is reached, and where that leads.

    `anywhere` says that there is an endpoint, be it one that the policy keeps from us. `stays` are the seconds for
    which a client keeps its endpoint; 0: each connection goes where chance sends it.
    """

    service: tuple[str, str]
    port_name: str
    protocol: str
    address: str
    port: int
    node_port: int = 0
    external: tuple[str, ...] = ()
    balanced: tuple[str, ...] = ()
    allowed_sources: tuple[str, ...] = ()
    stays: int = 0
    inside_local: bool = False
    outside_local: bool = False
    cluster: tuple[Target, ...] = ()
    local: tuple[Target, ...] = ()
    anywhere: bool = False

    @property
    def accessible(self) -> bool:
        """Whether it is reached at other addresses than its own."""
        return bool(self.node_port or self.external or self.balanced)

    @property
    def inside(self) -> tuple[Target, ...]:
        """Where connections to its own address go."""
        return self.local if self.inside_local else self.cluster

    @property
    def outside(self) -> tuple[Target, ...]:
        """Where connections from outside go."""
        return self.local if self.outside_local else self.cluster

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every endpoint that it may lead to."""
        return tuple(sorted({*self.cluster, *self.local}))


def routes(services: Iterable[Service], slices: Iterable[EndpointSlice], machine: Machine) -> tuple[Route, ...]:
    """The route of every port of every Service that has an IPv4 address, in a fixed order."""
    by_service: dict[tuple[str, str], list[EndpointSlice]] = {}
    for each in slices:
        if each.address_type == "IPv4" and each.service[1]:
            by_service.setdefault(each.service, []).append(each)
    found = [
        _route(service, port, by_service.get((service.metadata.namespace, service.metadata.name), ()), machine)
        for service in services
        if is_served(service)
        for port in service.spec.ports or ()
        if port.protocol in _PROTOCOLS
    ]
    return tuple(sorted(found, key=lambda route: (route.service, route.port_name, route.protocol)))


def is_served(service: Service) -> bool:
    """Whether it is ours to serve: it has an IPv4 address, and no other proxy."""
    own = service.has_address and PROXY_NAME not in (service.metadata.labels or {})
    return own and _is_ipv4(service.spec.cluster_ip)


def _route(service: Service, port: ServicePort, slices: Sequence[EndpointSlice], machine: Machine) -> Route:
    spec, metadata = service.spec, service.metadata
    ingress = service.status.load_balancer.ingress if service.status.load_balancer is not None else None
    route = Route(
        (metadata.namespace, metadata.name),
        port.name,
        port.protocol.lower(),
        spec.cluster_ip,
        port.port,
        port.node_port,
        tuple(filter(_is_ipv4, spec.external_ips or ())),
        tuple(each.ip for each in ingress or () if each.ip_mode != "Proxy" and _is_ipv4(each.ip)),
        tuple(each.strip() for each in spec.load_balancer_source_ranges or () if is_range(each.strip())),
        _stays(service),
        spec.internal_traffic_policy == "Local",
        spec.external_traffic_policy == "Local",
    )
    return _with_endpoints(route, list(_endpoints(port, slices, machine)), machine)


def _stays(service: Service) -> int:
    if service.spec.session_affinity != "ClientIP":
        return 0
    config = service.spec.session_affinity_config
    client = config.client_ip if config is not None else None
    return (client.timeout_seconds if client is not None else None) or _AFFINITY_SECONDS


def _endpoints(
    port: ServicePort, slices: Sequence[EndpointSlice], machine: Machine
) -> Collection[tuple[Target, Endpoint]]:
    """Each endpoint of the port once: of two that say the same address the ready one counts."""
    found: dict[Target, Endpoint] = {}
    for each in slices:
        numbers = [
            offered.port
            for offered in each.ports or ()
            if offered.port and (offered.name or "") == port.name and (offered.protocol or "TCP") == port.protocol
        ]
        for endpoint in each.endpoints or ():
            address = next(iter(endpoint.addresses or ()), "")
            if not _is_ipv4(address):
                continue
            for number in numbers:
                target = Target(address, number, endpoint.node_name in machine.nodes)
                if target not in found or (endpoint.ready and not found[target].ready):
                    found[target] = endpoint
    return found.items()


def _with_endpoints(route: Route, found: Sequence[tuple[Target, Endpoint]], machine: Machine) -> Route:
    here = [each for each in found if each[0].here]
    return replace(
        route,
        cluster=_usable(found, machine) if not route.inside_local or route.accessible else (),
        local=_usable(here, None) if route.inside_local or (route.outside_local and route.accessible) else (),
        anywhere=any(endpoint.ready or _leaves(endpoint) for _, endpoint in found),
    )


def _usable(found: Sequence[tuple[Target, Endpoint]], near: Machine | None) -> tuple[Target, ...]:
    """The ready ones, of these the ones meant for the machine `near`; without any those that serve until they end."""
    ready = [each for each in found if each[1].ready]
    if not ready:
        return tuple(sorted(target for target, endpoint in found if _leaves(endpoint)))
    return tuple(sorted(target for target, _ in (_meant(ready, near) if near is not None else ready)))


def _meant(ready: Sequence[tuple[Target, Endpoint]], machine: Machine) -> Sequence[tuple[Target, Endpoint]]:
    """Those with a hint for our nodes, else for our zone; all, unless each has such a hint and one is for us."""
    for kind, ours in (("for_nodes", machine.nodes), ("for_zones", frozenset((machine.zone,)))):
        hinted = [{hint.name for hint in getattr(each.hints, kind, None) or ()} for _, each in ready]
        meant = [each for each, names in zip(ready, hinted, strict=True) if names & ours]
        if meant and all(hinted):
            return meant
    return ready


def _leaves(endpoint: Endpoint) -> bool:
    """Whether it still serves while it ends."""
    return endpoint.conditions.serving is not False and endpoint.conditions.terminating is True


def is_range(text: str) -> bool:
    """Whether this is a range of IPv4 addresses."""
    try:
        IPv4Network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
