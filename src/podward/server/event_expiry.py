"""Events go by themselves, some time after they were last written: `--event-ttl`.

Specification: Kubernetes, pkg/registry/core/event/storage: an Event's key has a lease, which every write begins anew.
Here the server itself deletes what has had its time, whatever the store; several servers on one store do so at the same
time, and each deletion is guarded by the revision that it is about. A watch is told of it as of any deletion.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import heapq
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from podward.errors import StoreError
from podward.server import failures
from podward.server.cache import Cache
from podward.server.scope import Clock
from podward.store.interface import Event, Store, Stored

_PAUSE = 1.0
"""Seconds between two looks: an Event may be there so much longer."""
_AT_ONCE = 64


class _Manager(Struct):
    time: str = ""


class _Metadata(Struct, rename="camel"):
    creation_timestamp: str = ""
    managed_fields: Sequence[_Manager] = ()


class _Dated(Struct):
    metadata: _Metadata


_dated = msgspec.json.Decoder(_Dated).decode


class EventExpiry:
    """Deletes Events that are older than `seconds`. `cache` has them all."""

    def __init__(self, store: Store, cache: Cache, clock: Clock, seconds: float) -> None:
        self._store = store
        self._cache = cache
        self._clock = clock
        self._seconds = seconds
        self._ends: list[tuple[float, str, int]] = []
        """When each version of an Event has had its time; the next one comes first."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, and let nobody wait for it."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        await self._cache.start()
        for item in self._cache.items(self._cache.prefix):
            self._expect(item.stored, written(item.stored, self._clock.seconds()))
        self._cache.listeners.append(self._take)
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await self._delete_old()
            except StoreError as error:  # a full disk, or an etcd that is away: it is tried again
                failures.log("deleting old events", error)

    def _take(self, event: Event) -> None:
        if event.type == "PUT":
            self._expect(event.stored, self._clock.seconds())

    def _expect(self, stored: Stored, since: float) -> None:
        heapq.heappush(self._ends, (since + self._seconds, stored.key, stored.revision))

    async def _delete_old(self) -> None:
        while old := self._next():
            await asyncio.gather(*(self._store.delete(key, revision) for key, revision in old))

    def _next(self) -> list[tuple[str, int]]:
        """Some Events that have had their time, and were not written again."""
        now, old = self._clock.seconds(), list[tuple[str, int]]()
        while self._ends and self._ends[0][0] <= now and len(old) < _AT_ONCE:
            _, key, revision = heapq.heappop(self._ends)
            item = self._cache.get(key)
            if item is not None and item.stored.revision == revision:
                old.append((key, revision))
        return old


def written(stored: Stored, now: float) -> float:
    """When a stored Event was last written, as far as it says so itself; never later than now."""
    try:
        of = _dated(stored.value.replace(b"\0", b"", 1)).metadata
        times = [time for time in (of.creation_timestamp, *(each.time for each in of.managed_fields)) if time]
        return min(now, max(dt.datetime.fromisoformat(time).timestamp() for time in times))
    except (msgspec.MsgspecError, ValueError, TypeError):
        return now
