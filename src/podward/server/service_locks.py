"""What two servers on one store must not give twice is locked while it is given: a key for each address and port.

Who has the lock looks again whether it is free, stores the Service, and lets go: whoever comes later sees the Service.
The lock of a server that has died is taken from it after a while, longer than any request lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from podward.errors import StoreError
from podward.store.interface import Exists, Store, Stored

_PREFIX = "/locks/services/"
_DEAD = 120.0
_PAUSES = (0.02, 0.05, 0.1, 0.2, 0.4)


class ServiceLocks:
    """The locks of one server."""

    def __init__(self, store: Store, seconds: Callable[[], float]) -> None:
        self._store = store
        self._seconds = seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, names: Iterable[str]) -> list[Stored] | None:
        """All of these, or None where another server has one and keeps it."""
        held: list[Stored] = []
        for name in sorted(names):  # in one order, so that nobody waits for who waits for him
            lock = await self._taken(f"{_PREFIX}{name}")
            if lock is None:
                self.release(held)
                return None
            held.append(lock)
        return held

    def release(self, held: list[Stored]) -> None:
        """Let them go, and wait for nothing."""
        if held:
            task = asyncio.create_task(self._deleted(held))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _taken(self, key: str) -> Stored | None:
        for pause in (*_PAUSES, 0.0):
            made = await self._store.create(key, repr(self._seconds()).encode())
            if isinstance(made, Stored):
                return made
            taken = await self._from_the_dead(made)
            if taken is not None:
                return taken
            await asyncio.sleep(pause)
        return None

    async def _from_the_dead(self, found: Exists) -> Stored | None:
        now = self._seconds()
        with contextlib.suppress(ValueError):
            if abs(now - float(found.current.value)) < _DEAD:
                return None
        taken = await self._store.update(found.current.key, repr(now).encode(), found.current.revision)
        return taken if isinstance(taken, Stored) else None

    async def _deleted(self, held: list[Stored]) -> None:
        for lock in held:
            with contextlib.suppress(StoreError):  # it is taken from us, then, as from the dead
                await self._store.delete(lock.key, lock.revision)
