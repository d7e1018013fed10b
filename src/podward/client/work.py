"""Work by key: each key is done by one worker at a time, and again where it was asked for meanwhile, or failed.

Specification: Kubernetes, k8s.io/client-go, util/workqueue: what is asked for twice is done once; a key that fails is
tried again after 5 ms, twice as long each time, up to a thousand seconds at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections.abc import Awaitable, Callable

_FIRST, _MOST = 0.005, 1000.0
_MOST_DOUBLINGS = 24

_log = logging.getLogger("podward.client")


class Retry(enum.Enum):
    """What a reconcile returns that could not do all: it is called again, later each time."""

    LATER = "later"


Reconcile = Callable[[str], Awaitable[float | Retry | None]]
"""Does the work of a key. A number: again in so many seconds; None: done."""


class WorkQueue:
    """The keys that are to be done, and those who do it."""

    def __init__(self, name: str, reconcile: Reconcile, workers: int = 2) -> None:
        """`name` says in the log what failed."""
        self._name = name
        self._reconcile = reconcile
        self._workers = workers
        self._waiting: dict[str, None] = {}
        self._at_work: set[str] = set()
        self._again: set[str] = set()
        self._failures: dict[str, int] = {}
        self._later: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]

    def add(self, key: str) -> None:
        """Have a key done, now."""
        if key in self._at_work:
            self._again.add(key)
            return
        self._waiting[key] = None
        self._ready.set()

    def add_after(self, key: str, seconds: float) -> None:
        """Have a key done in so many seconds; the earliest of several such wishes counts."""
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if key in self._later:
            earlier, timer = self._later[key]
            if earlier <= due:
                return
            timer.cancel()
        self._later[key] = (due, loop.call_later(seconds, self._due, key))

    async def close(self) -> None:
        """Work no more."""
        for _, timer in self._later.values():
            timer.cancel()
        self._later.clear()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _due(self, key: str) -> None:
        self._later.pop(key, None)
        self.add(key)

    async def _work(self) -> None:
        while True:
            while not self._waiting:
                self._ready.clear()
                await self._ready.wait()
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._at_work.add(key)
            try:
                await self._do(key)
            finally:
                self._at_work.discard(key)
                if key in self._again:
                    self._again.discard(key)
                    self.add(key)

    async def _do(self, key: str) -> None:
        try:
            wish = await self._reconcile(key)
        except Exception:  # noqa: BLE001 - one key must not keep the others from being done
            _log.exception("%s: %s failed", self._name, key)
            wish = Retry.LATER
        if wish is Retry.LATER:
            failures = self._failures.get(key, 0)
            self._failures[key] = min(failures + 1, _MOST_DOUBLINGS)
            self.add_after(key, min(_FIRST * 2**failures, _MOST))
            return
        self._failures.pop(key, None)
        if wish is not None:
            self.add_after(key, wish)


class Regularly:
    """Does something every so many seconds, at first at once; what fails is told to the log and done again later."""

    def __init__(self, name: str, do: Callable[[], Awaitable[None]], seconds: float) -> None:
        """`name` says in the log what failed."""
        self._name = name
        self._do = do
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Do it no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._do()
            except Exception:  # noqa: BLE001 - what is wrong with one object must not keep all others for ever
                _log.exception("%s failed", self._name)
            await asyncio.sleep(self._seconds)
