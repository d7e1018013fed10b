"""Which tracked UDP connections are to be forgotten when routes change.

Specification (kube-proxy, pkg/proxy/conntrack, in our words): the kernel sends the packets of a UDP client where its
first one went, for as long as some come. So connections to endpoints that no longer serve are forgotten, and those to a
Service that were made before it had endpoints, and went nowhere. Ours: who has just begun knows nothing of what was
before, and has every connection to a Service begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.policy.proxy.routes import Route


class Flow(Struct, frozen=True, order=True):
    """Connections to an address (empty: any) and port that are answered from another address (empty: any)."""

    address: str
    port: int
    answered_from: str


def forgotten(old: Iterable[Route] | None, new: Iterable[Route]) -> tuple[Flow, ...]:
    """The connections that this change leaves astray; `old` is None where nobody knows what was before."""
    if old is None:
        return tuple(sorted(Flow(address, port, "") for address, port in _by_entry(new)))
    before, after = _by_entry(old), _by_entry(new)
    found = set()
    for (address, port), endpoints in before.items():
        gone = endpoints - after.get((address, port), frozenset())
        found |= {Flow(address, port, endpoint) for endpoint in gone}
    for (address, port), endpoints in after.items():
        if endpoints and address and not before.get((address, port)):
            found.add(Flow(address, port, address))
    return tuple(sorted(found))


def _by_entry(routes: Iterable[Route]) -> dict[tuple[str, int], frozenset[str]]:
    """The endpoints' addresses of each address and port where UDP comes in; ports of the node have no address."""
    entries: dict[tuple[str, int], frozenset[str]] = {}
    for route in routes:
        if route.protocol != "udp":
            continue
        inside, outside = (frozenset(target.ip for target in each) for each in (route.inside, route.targets))
        entries[route.address, route.port] = inside
        entries |= {(address, route.port): outside for address in (*route.external, *route.balanced)}
        if route.node_port:
            entries["", route.node_port] = outside
    return entries
