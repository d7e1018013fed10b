"""What nodes and containers use, from the nodes' own figures: two looks at counters, at least a second apart.

Specification: Kubernetes, metrics-server, pkg/scraper and pkg/storage, in our words: CPU is what a counter has grown by
in the time between two looks, in billionths of a core, memory is the working set. A container that was not there at the
first look has no figures yet. Nothing is looked at while nobody asks. A kubelet tells the same figures of its node for
ten seconds and more, with their time: they are compared with the last ones of another time, however old.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.server.proxying.target import Target
from podward.server.webhooks.client import limited_body

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from podward.server.proxying.nodes import NodeAddress
    from podward.server.proxying.passing import Passing

_PATH = "/metrics/resource"
_LONGEST = 64 << 20
_SECONDS = 10.0
_APART, _STALE = 1.0, 60.0
_NANO = 10**9
_LINE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>[0-9.e+-]+)(?: (?P<time>[0-9]+))?")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_CPU, _MEMORY = "_cpu_usage_seconds_total", "_memory_working_set_bytes"

Key = tuple[str, str, str]
"""Namespace, Pod and container; all empty: the node."""


class Look(Struct, frozen=True):
    """What a counter and a gauge said, and when, in milliseconds."""

    cpu: float
    memory: float
    at: int


class Looks(Struct, frozen=True):
    """The last look at each counter, and the one before it that had other figures: nodes keep figures for a while."""

    last: Mapping[Key, Look] = {}
    earlier: Mapping[Key, Look] = {}

    def and_now(self, now: Mapping[Key, Look]) -> Looks:
        """With one more look. What is not there any more is forgotten."""
        earlier: dict[Key, Look] = {}
        for key, look in now.items():
            before = self.last.get(key)
            if before is not None and before.at == look.at:
                before = self.earlier.get(key)
            if before is not None:
                earlier[key] = before
        return Looks(now, earlier)


class Usage(Struct, frozen=True):
    """What is used: billionths of a core, and bytes; `window` is in seconds."""

    cpu: int
    memory: int
    at: float
    window: float

    def quantities(self) -> JsonObject:
        """As the API writes it."""
        return {"cpu": f"{self.cpu}n", "memory": f"{self.memory // 1024}Ki"}


class NodeMetrics:
    """The figures of all nodes that were asked for lately."""

    def __init__(self, passing: Passing, tls: Callable[[], ssl.SSLContext]) -> None:
        """`tls` gives whom to trust at nodes."""
        self._passing = passing
        self._tls = tls
        self._seen: dict[str, tuple[float, Looks]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, nodes: Mapping[str, NodeAddress]) -> Mapping[str, Mapping[Key, Usage]]:
        """What is used at these nodes; a node that does not answer has no figures."""
        for name in self._seen.keys() - nodes.keys():
            if time.monotonic() - self._seen[name][0] > _STALE:
                del self._seen[name]
                self._locks.pop(name, None)
        found = await asyncio.gather(*(self._of(name, address) for name, address in nodes.items()))
        return dict(zip(nodes, found, strict=True))

    async def _of(self, name: str, address: NodeAddress) -> Mapping[Key, Usage]:
        async with self._locks.setdefault(name, asyncio.Lock()):
            then, seen = self._seen.get(name, (0.0, Looks()))
            age = time.monotonic() - then
            if age > _STALE:
                seen = seen.and_now(await self._look(address))
                age = 0.0
            if seen.last and age < _APART:
                await asyncio.sleep(_APART - age)
            seen = seen.and_now(await self._look(address))
            self._seen[name] = time.monotonic(), seen
            return used(seen.earlier, seen.last)

    async def _look(self, address: NodeAddress) -> Mapping[Key, Look]:
        target = Target(address.host, address.port, _PATH, "", self._tls())
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._passing.answer(target, "GET", [])
                if isinstance(answer, str):
                    return {}
                body = await limited_body(answer, _LONGEST) if answer.status == 200 else None
                answer.release()
        except TimeoutError:
            return {}
        return looks(body.decode("utf-8", "replace").splitlines()) if body is not None else {}


def looks(lines: Iterable[str]) -> Mapping[Key, Look]:
    """The figures of containers and of the node in a node's metrics."""
    cpus: dict[Key, tuple[float, int]] = {}
    memories: dict[Key, float] = {}
    for line in lines:
        match = None if line.startswith("#") else _LINE.fullmatch(line)
        if match is None:
            continue
        name, value, at = match["name"], float(match["value"]), int(match["time"] or 0)
        labels = dict(_LABEL.findall(match["labels"] or ""))
        key = labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", "")
        if name not in {f"{subject}{kind}" for subject in ("container", "node") for kind in (_CPU, _MEMORY)}:
            continue
        if name.endswith(_CPU):
            cpus[key] = value, at
        else:
            memories[key] = value
    return {key: Look(cpu, memories[key], at) for key, (cpu, at) in cpus.items() if key in memories}


def used(before: Mapping[Key, Look], now: Mapping[Key, Look]) -> Mapping[Key, Usage]:
    """What was used between two looks. A counter that has gone back is another container's."""
    found = {}
    for key, look in now.items():
        old = before.get(key)
        if old is None or look.at <= old.at or look.cpu < old.cpu:
            continue
        window = (look.at - old.at) / 1000
        found[key] = Usage(round((look.cpu - old.cpu) / window * _NANO), int(look.memory), look.at / 1000, window)
    return found
