"""The nftables rules that send connections for Services to their endpoints.

Specification (kube-proxy, pkg/proxy/nftables, in our words):
- Addresses and ports are keys of verdict maps, which lead to a chain of the Service's port; it chooses one of its
  endpoints at random. With session affinity each endpoint has a chain and a set of the clients that stay with it.
- Connections from outside get the machine's address as their source, unless the policy is Local; those from the machine
  itself always do. A Pod that reaches itself by its Service does, too.
- What a Service without endpoints is sent is rejected; dropped, where only the policy keeps the endpoints away. Other
  ports of a Service's address are rejected; addresses of the range that no Service has are dropped.
- `loadBalancerSourceRanges` hold for the addresses of a load balancer alone.

Ours: connections to a Service's own address are served for this cluster's Pods and for the machine, nobody else: so two
clusters on one machine may give the same addresses. Ports of the node are served on 127.0.0.1 too. A TCP connection is
refused by a reset: the kernel sends only so many ICMP messages a second. Who asks for more names than any program does
keeps nobody else from an answer: what is too much ends here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from podward.policy.proxy.routes import Machine, Route, Target

_MARK = "0x4000"
"""The bit of a packet's mark that has its source replaced: kube-proxy's own."""
_MASQUERADE = f"meta mark set mark or {_MARK}"
_LONGEST_NAME = 120
_KEY = "ip daddr . meta l4proto . th dport"

BASES = {
    "prerouting-firewall": "type filter hook prerouting priority -110; policy accept;",
    "output-firewall": "type filter hook output priority -110; policy accept;",
    "input": "type filter hook input priority 0; policy accept;",
    "forward": "type filter hook forward priority 0; policy accept;",
    "output": "type filter hook output priority 0; policy accept;",
    "nat-prerouting": "type nat hook prerouting priority -100; policy accept;",
    "nat-output": "type nat hook output priority -100; policy accept;",
    "nat-postrouting": "type nat hook postrouting priority 100; policy accept;",
}
"""Our chains at the kernel's hooks."""

_BY_ADDRESS = "type ipv4_addr . inet_proto . inet_service : verdict;"
_BY_PORT = "type inet_proto . inet_service : verdict;"
CLUSTER_SERVICES, EXTERNAL_SERVICES, NODE_PORTS = "cluster-services", "external-services", "node-ports"
_NO_ENDPOINTS, _NO_ENDPOINT_PORTS, _FIREWALL = "no-endpoints", "no-endpoint-ports", "firewall"
_CLUSTER_IPS, _HAIRPINS, _PODS, _RANGES = "cluster-ips", "hairpins", "pods", "service-ranges"
_ASKERS, _MOST_NAMES = "askers", "1000/second burst 2000 packets"
MAPS = {
    CLUSTER_SERVICES: _BY_ADDRESS,
    EXTERNAL_SERVICES: _BY_ADDRESS,
    NODE_PORTS: _BY_PORT,
    _NO_ENDPOINTS: _BY_ADDRESS,
    _NO_ENDPOINT_PORTS: _BY_PORT,
    _FIREWALL: _BY_ADDRESS,
}
"""Our maps, from where a connection goes to what is to happen."""
SETS = {
    _CLUSTER_IPS: "type ipv4_addr;",
    _HAIRPINS: "type ipv4_addr . ipv4_addr . inet_proto . inet_service;",
    _PODS: "type ipv4_addr; flags interval;",
    _RANGES: "type ipv4_addr; flags interval;",
    _ASKERS: "type ipv4_addr; size 65535; flags dynamic,timeout; timeout 1m;",
}
"""Our sets."""
REJECT = "reject-new"


class Ruleset(Struct, frozen=True):
    """Everything in our table: rules by chain, elements by map or set, and how long clients are kept in which set."""

    chains: dict[str, tuple[str, ...]] = {}
    elements: dict[str, dict[str, str]] = {}
    affinities: dict[str, int] = {}


def ruleset(routes: Iterable[Route], machine: Machine) -> Ruleset:
    """The rules of these routes."""
    made = _Rules(machine)
    for route in routes:
        made.add(route)
    return Ruleset(made.chains, made.elements, made.affinities)


class _Rules:
    """The rules as they grow, route by route."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.chains: dict[str, tuple[str, ...]] = _fixed_chains(machine)
        self.elements: dict[str, dict[str, str]] = {name: {} for name in (*MAPS, *SETS)}
        self.affinities: dict[str, int] = {}
        self.elements[_PODS] = dict.fromkeys(machine.pods, "")
        self.elements[_RANGES] = dict.fromkeys(machine.services, "")

    def add(self, route: Route) -> None:
        """Add one route."""
        self.elements[_CLUSTER_IPS][route.address] = ""
        for target in route.targets:
            self.elements[_HAIRPINS][f"{target.ip} . {target.ip} . {route.protocol} . {target.port}"] = ""
        outside = f"goto {_name('external', route)}"
        self._destination(CLUSTER_SERVICES, route, route.address, self._policy(route, local=route.inside_local))
        for address in (*route.external, *route.balanced):
            self._destination(EXTERNAL_SERVICES, route, address, outside if route.anywhere else "")
            self._closed_outside(route, _NO_ENDPOINTS, f"{address} . {route.protocol} . {route.port}")
        if route.node_port:
            key = f"{route.protocol} . {route.node_port}"
            if route.anywhere:
                self.elements[NODE_PORTS][key] = outside
            self._closed_outside(route, _NO_ENDPOINT_PORTS, key)
        if route.accessible and route.anywhere:
            self.chains[_name("external", route)] = tuple(self._from_outside(route))
        if route.balanced and route.allowed_sources:
            self._firewall(route)
        if route.stays:
            self._keep_clients(route)

    def _destination(self, name: str, route: Route, address: str, verdict: str) -> None:
        key = f"{address} . {route.protocol} . {route.port}"
        if verdict:
            self.elements[name][key] = verdict
        elif name == CLUSTER_SERVICES:
            self.elements[_NO_ENDPOINTS][key] = "drop" if route.anywhere else f"goto {REJECT}"

    def _closed_outside(self, route: Route, name: str, key: str) -> None:
        if not route.anywhere:
            self.elements[name][key] = f"goto {REJECT}"
        elif not route.outside:
            self.elements[name][key] = "drop"

    def _policy(self, route: Route, *, local: bool) -> str:
        """The verdict that leads to the endpoints of one of the policies; empty where it has none."""
        targets = route.local if local else route.cluster
        if not targets:
            return ""
        chain = _name("local" if local else "cluster", route)
        self.chains[chain] = tuple(_choice(route, targets))
        return f"goto {chain}"

    def _from_outside(self, route: Route) -> Iterable[str]:
        outside = self._policy(route, local=route.outside_local)
        if not route.outside_local:
            yield _MASQUERADE
        else:
            inside = self._policy(route, local=False)
            if inside and self._machine.pods:
                yield f"ip saddr @{_PODS} {inside}"
            yield f"fib saddr type local {_MASQUERADE}"
            if inside:
                yield f"fib saddr type local {inside}"
        if outside:
            yield outside

    def _firewall(self, route: Route) -> None:
        chain = _name("firewall", route)
        self.chains[chain] = (f"ip saddr != {{ {', '.join(route.allowed_sources)} }} drop",)
        for address in route.balanced:
            self.elements[_FIREWALL][f"{address} . {route.protocol} . {route.port}"] = f"goto {chain}"

    def _keep_clients(self, route: Route) -> None:
        for target in route.targets:
            kept = _kept(route, target)
            self.affinities[kept] = route.stays
            self.chains[_name("endpoint", route, target)] = (
                f"update @{kept} {{ ip saddr }}",
                f"meta l4proto {route.protocol} dnat to {target}",
            )


def _fixed_chains(machine: Machine) -> dict[str, tuple[str, ...]]:
    """The chains that every ruleset has, with their rules."""
    from_pods = f"ip saddr @{_PODS} " if machine.pods else ""
    replies = () if machine.bridged else (f"ct status dnat ip saddr @{_PODS} ip daddr @{_PODS} masquerade",)
    unused = f"ip daddr @{_CLUSTER_IPS} goto {REJECT}"
    return {
        REJECT: ("meta l4proto tcp reject with tcp reset", "reject"),
        "external-destinations": (
            f"{_KEY} vmap @{EXTERNAL_SERVICES}",
            f"fib daddr type local meta l4proto . th dport vmap @{NODE_PORTS}",
        ),
        "prerouting-firewall": (*_bounded(machine), f"ct state new {_KEY} vmap @{_FIREWALL}"),
        "output-firewall": (f"ct state new {_KEY} vmap @{_FIREWALL}",),
        "input": (
            f"ct state new fib daddr type local meta l4proto . th dport vmap @{_NO_ENDPOINT_PORTS}",
            f"ct state new {_KEY} vmap @{_NO_ENDPOINTS}",
        ),
        "forward": (
            f"ct state new {from_pods}{_KEY} vmap @{_NO_ENDPOINTS}",
            f"ct state new {from_pods}{unused}",
            *((f"ct state new {from_pods}ip daddr @{_RANGES} drop",) if from_pods else ()),
        ),
        "output": (f"ct state new {_KEY} vmap @{_NO_ENDPOINTS}", f"ct state new {unused}"),
        "nat-prerouting": (f"{from_pods}{_KEY} vmap @{CLUSTER_SERVICES}", "jump external-destinations"),
        "nat-output": (
            f"ip daddr @{_CLUSTER_IPS} {_MASQUERADE}",
            f"{_KEY} vmap @{CLUSTER_SERVICES}",
            "jump external-destinations",
        ),
        "nat-postrouting": (
            f"meta mark and {_MARK} != 0 meta mark set mark xor {_MARK} masquerade fully-random",
            f"ct status dnat ip saddr . ip daddr . meta l4proto . th dport @{_HAIRPINS} masquerade fully-random",
            *replies,
        ),
    }


def _bounded(machine: Machine) -> tuple[str, ...]:
    """Questions for names, of each who asks so many."""
    too_many = f"update @{_ASKERS} {{ ip saddr limit rate over {_MOST_NAMES} }} counter drop"
    return (f"ip daddr {machine.names} udp dport 53 {too_many}",) if machine.names else ()


def _choice(route: Route, targets: Sequence[Target]) -> Iterable[str]:
    """The rules that choose one of the endpoints."""
    if not route.stays:
        listed = ", ".join(f"{index} : {target.ip} . {target.port}" for index, target in enumerate(targets))
        chance = f"numgen random mod {len(targets)} map {{ {listed} }}"
        yield f"meta l4proto {route.protocol} dnat ip addr . port to {chance}"
        return
    for target in targets:
        yield f"ip saddr @{_kept(route, target)} goto {_name('endpoint', route, target)}"
    listed = ", ".join(f"{index} : goto {_name('endpoint', route, target)}" for index, target in enumerate(targets))
    yield f"numgen random mod {len(targets)} vmap {{ {listed} }}"


def _kept(route: Route, target: Target) -> str:
    """The set of the clients that stay with this endpoint: another time, another set."""
    return _name(f"clients-{route.stays}", route, target)


def _name(kind: str, route: Route, target: Target | None = None) -> str:
    """The name of a chain or set: what it is, a digest that tells it from all others, and what people look for."""
    words = f"{'/'.join(route.service)}/{route.port_name}/{route.protocol}/{target or ''}"
    digest = hashlib.sha256(words.encode()).hexdigest()[:10]
    readable = re.sub(r"[^a-z0-9-]", "-", f"{route.service[0]}-{route.service[1]}-{route.port_name}".lower())
    return f"{kind}-{digest}-{readable}"[:_LONGEST_NAME].rstrip("-")
