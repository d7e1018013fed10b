"""What some kinds take before a write, and give back when it is over: the addresses and ports of Services.

Specification: Kubernetes, pkg/registry/core/service/storage: BeginCreate and BeginUpdate. What stored Services have is
taken; what a write that is under way has been given is taken, too, until it is stored or has failed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from msgspec import Struct

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.errors import UsageError
from podward.schema.strategies import service_allocation
from podward.schema.strategies.service_allocation import Allocation, Pools
from podward.server.cache import Cache
from podward.server.encoding import decoded
from podward.server.service_locks import ServiceLocks
from podward.store.interface import Event, Stored

_FEWEST, _ATTEMPTS = 8, 8
"""Addresses that a range must have, as of the real server."""
_random = random.SystemRandom()


def nothing() -> None:
    """Nothing was taken."""


class Begun(Struct, frozen=True):
    """The object as it goes on, and what is to be called when the write is over."""

    object: JsonObject
    finish: Callable[[], None] = nothing


class ServiceAllocator:
    """What Services have. It follows the cache of Services from the first allocation on."""

    def __init__(
        self, network: str, ports: tuple[int, int] = (30000, 32767), locks: ServiceLocks | None = None
    ) -> None:
        """`locks` are needed where other servers use the same store. Raises UsageError for what is no range."""
        self._locks = locks
        try:
            self._network = ip_network(network)
        except ValueError:
            raise UsageError(
                f"this is no range of addresses: {network!r}",
                where="--service-cluster-ip-range",
                advice="give one, such as 10.0.0.0/24",
            ) from None
        if self._network.num_addresses < _FEWEST:
            raise UsageError(
                f"this range has too few addresses: {network!r}",
                where="--service-cluster-ip-range",
                advice=f"give one of {_FEWEST} at least, such as 10.0.0.0/24",
            )
        self._ports = ports
        self._stored: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {}
        self._addresses: dict[str, int] = {}
        self._taken_ports: dict[int, int] = {}
        self._cache: Cache | None = None

    @property
    def network(self) -> str:
        """The range of addresses."""
        return str(self._network)

    @property
    def first_address(self) -> str:
        """The address of the server's own Service."""
        return str(self._network[1])

    async def begin(self, cache: Cache, obj: JsonObject, old: JsonObject | None, *, dry_run: bool) -> Begun | Status:
        """The Service with its addresses and ports."""
        if self._cache is None:
            await cache.start()
            self._cache = cache
            for item in cache.items(cache.prefix):
                self._put(item.stored.key, decoded(item.stored))
            cache.listeners.append(self._follow)
        for _ in range(_ATTEMPTS):
            begun = await self._begun(cache, obj, old, dry_run=dry_run)
            if begun is not None:
                return begun
        return status.internal_error("failed to allocate: other servers have been quicker each time")

    async def _begun(
        self, cache: Cache, obj: JsonObject, old: JsonObject | None, *, dry_run: bool
    ) -> Begun | Status | None:
        """The same, or None where another server was quicker."""
        await cache.fresh()
        pools = self._pools(dry_run=dry_run)
        found = service_allocation.new(obj, pools) if old is None else service_allocation.change(obj, old, pools)
        if found.refused.violations:
            name = str(member(obj, "metadata").get("name") or "")
            return status.invalid("Service", "", name, found.refused)
        if found.failure:
            return status.internal_error(found.failure)
        if dry_run:
            return Begun(found.service)
        self._count(found.addresses, found.ports, 1)
        held: list[Stored] | None = []
        if self._locks is not None and (found.addresses or found.ports):
            held = await self._locked(self._locks, cache, found)
        if held is not None:
            return Begun(found.service, lambda: self._finish(found, held))
        self._finish(found, [])
        return None

    async def _locked(self, locks: ServiceLocks, cache: Cache, found: Allocation) -> list[Stored] | None:
        """The locks of what it takes; None where another server has one of them, or has given it already."""
        names = [*(f"address-{each}" for each in found.addresses), *(f"port-{each}" for each in found.ports)]
        held = await locks.take(names)
        if held is None:
            return None
        await cache.fresh()
        own_alone = all(self._addresses[each] == 1 for each in found.addresses)
        if own_alone and all(self._taken_ports[each] == 1 for each in found.ports):
            return held
        locks.release(held)
        return None

    def _finish(self, found: Allocation, held: list[Stored]) -> None:
        self._count(found.addresses, found.ports, -1)
        if self._locks is not None:
            self._locks.release(held)

    def _pools(self, *, dry_run: bool) -> Pools:
        family = "IPv6" if self._network.version == 6 else "IPv4"
        return Pools(
            {family: str(self._network)},
            self._ports,
            lambda address: address in self._addresses,
            lambda port: port in self._taken_ports,
            self._next_address,
            self._next_port,
            dry_run,
        )

    def _next_address(self, family: str) -> str | None:
        """A free address; those that people choose by hand, the first of the range, come last."""
        if (family == "IPv6") != (self._network.version == 6):
            return None
        size = min(self._network.num_addresses, 1 << 16)
        first = min(max(16, size // 16), 256)
        base = int(self._network.network_address)
        for low, high in ((first + 1, size - 1), (1, min(first + 1, size - 1))):
            start = _random.randrange(low, high) if high > low else low
            for step in range(high - low):
                address = str(ip_address(base + low + (start - low + step) % (high - low)))
                if address not in self._addresses:
                    return address
        return None

    def _next_port(self, own: frozenset[int]) -> int | None:
        low, high = self._ports
        upper = low + min(max(16, (high - low) // 32), 128)
        for first, last in ((upper, high), (low, upper - 1)):
            count = last - first + 1
            start = _random.randrange(count) if count > 0 else 0
            for step in range(count):
                port = first + (start + step) % count
                if port not in self._taken_ports and port not in own:
                    return port
        return None

    def _follow(self, event: Event) -> None:
        key = event.stored.key
        if event.type == "DELETE":
            self._count(*self._stored.pop(key, ((), ())), -1)
        else:
            self._put(key, decoded(event.stored))

    def _put(self, key: str, service: JsonObject) -> None:
        before, now = self._stored.get(key, ((), ())), service_allocation.released(service)
        self._stored[key] = now
        self._count(*now, 1)
        self._count(*before, -1)

    def _count(self, addresses: tuple[str, ...], ports: tuple[int, ...], by: int) -> None:
        for address in addresses:
            self._addresses[address] = self._addresses.get(address, 0) + by
            if self._addresses[address] <= 0:
                del self._addresses[address]
        for port in ports:
            self._taken_ports[port] = self._taken_ports.get(port, 0) + by
            if self._taken_ports[port] <= 0:
                del self._taken_ports[port]
