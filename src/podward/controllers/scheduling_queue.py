"""Which Pod is placed next: those that wait, those that wait a little longer, and those that nothing has changed for.

Specification: Kubernetes, pkg/scheduler/backend/queue: by priority, then by age. A Pod that did not fit is tried again
when something has changed, but not before 1 s after its last attempt, twice as long each time, 10 s at most; and after
five minutes in any case.
"""

from __future__ import annotations

import asyncio
import collections
import heapq
import itertools
from collections.abc import Callable

from msgspec import Struct

from podward.policy.scheduling.facts import PodFacts

_FIRST, _MOST = 1.0, 10.0
_FLUSHED, _REMEMBERED = 300.0, 1000


class _Waiting(Struct):
    pod: PodFacts
    attempts: int = 0
    tried: float = 0.0
    active: bool = False
    changed_at: int = 0
    timer: asyncio.TimerHandle | None = None


class SchedulingQueue:
    """The Pods without a node, by uid."""

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}
        self._heap: list[tuple[int, str, int, str]] = []
        self._order = itertools.count()
        self._ready = asyncio.Event()
        self._changes = 0
        self._recent: collections.deque[Callable[[PodFacts], bool]] = collections.deque(maxlen=_REMEMBERED)

    def put(self, pod: PodFacts) -> None:
        """A Pod that is new, or that was changed: it is tried at once."""
        found = self._waiting.get(pod.uid)
        if found is None:
            found = self._waiting[pod.uid] = _Waiting(pod)
        found.pod = pod
        self._activate(found)

    def note(self, pod: PodFacts) -> None:
        """What is known of a Pod that waits is renewed; that is no reason to try it."""
        if (found := self._waiting.get(pod.uid)) is not None:
            found.pod = pod

    def forget(self, uid: str) -> None:
        """A Pod that is gone, or has a node."""
        found = self._waiting.pop(uid, None)
        if found is not None and found.timer is not None:
            found.timer.cancel()

    async def next(self) -> tuple[PodFacts, int]:
        """The Pod to try, and how many changes there had been when it was taken."""
        while True:
            while not self._heap:
                self._ready.clear()
                await self._ready.wait()
            uid = heapq.heappop(self._heap)[3]
            found = self._waiting.get(uid)
            if found is None or not found.active:
                continue
            found.active = False
            found.attempts += 1
            return found.pod, self._changes

    def failed(self, uid: str, changes: int, *, again: bool = False) -> None:
        """The Pod did not fit: it waits for a change, or for its time if one has come since or `again` is wished."""
        found = self._waiting.get(uid)
        if found is None or found.active:
            return
        found.tried = asyncio.get_running_loop().time()
        self._later(found, self._pause(found) if again or self._has_concerned(found.pod, changes) else _FLUSHED)

    def _has_concerned(self, pod: PodFacts, changes: int) -> bool:
        """Whether one of the changes since then may let the Pod fit."""
        since = self._changes - changes
        return since > len(self._recent) or any(self._recent[-1 - index](pod) for index in range(since))

    def changed(self, concerns: Callable[[PodFacts], bool] = lambda _pod: True) -> None:
        """Something has changed that may let those Pods fit that it concerns."""
        self._changes += 1
        self._recent.append(concerns)
        now = asyncio.get_running_loop().time()
        for found in self._waiting.values():
            if not found.active and found.tried and concerns(found.pod):
                self._later(found, found.tried + self._pause(found) - now)

    def close(self) -> None:
        """Wake nobody any more."""
        for uid in list(self._waiting):
            self.forget(uid)

    @staticmethod
    def _pause(found: _Waiting) -> float:
        return min(_FIRST * 2.0 ** min(found.attempts - 1, 10), _MOST)

    def _later(self, found: _Waiting, seconds: float) -> None:
        if found.timer is not None:
            found.timer.cancel()
        if seconds <= 0:
            self._activate(found)
            return
        found.timer = asyncio.get_running_loop().call_later(seconds, self._activate, found)

    def _activate(self, found: _Waiting) -> None:
        if found.timer is not None:
            found.timer.cancel()
            found.timer = None
        if found.active:
            return
        found.active, found.tried = True, 0.0
        pod = found.pod
        heapq.heappush(self._heap, (-pod.priority, pod.started, next(self._order), pod.uid))
        self._ready.set()
