"""How many requests are served at the same time, and who is next where more come: each user in turn.

Specification: Kubernetes, API priority and fairness (k8s.io/apiserver, pkg/util/flowcontrol), of which this is the
simple part: two pools of seats, for what reads and for what writes, each shared fairly by users. Who finds no seat
waits in his own queue for a quarter of the time that a request has; if it is full, or the time is over, the answer is
429. Members of system:masters and questions after the server's health are never held up. What takes long is apart: each
user may have so many watches and other streams.

One loop does all the work, so that a crowd of requests that are quick would be served in the order in which they came,
and a seat would never be wanting. Therefore only a few begin in one turn of the loop, and the next ones are chosen in
the next turn, when it is known who else has come.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from msgspec import Struct

from podward.api.caller import MASTERS
from podward.server.request import Request

_PATIENCE = 15.0
_LONGEST_QUEUE = 300
"""So many requests of a user wait in a pool, as many as of one flow of the real server by default."""
_MOST_STREAMS = 4000
_NO_LIMIT = 1 << 30
_READ_AT_ONCE, _WRITTEN_AT_ONCE = 4, 16
"""Requests that begin in one turn of the loop; writes wait for the disk, where they go together."""
_READING = frozenset(("get", "list"))
_HEALTH = ("/healthz", "/livez", "/readyz")


class Limits(Struct, frozen=True):
    """`--max-requests-inflight`, `--max-mutating-requests-inflight`, `--enable-priority-and-fairness`."""

    reading: int = 400
    writing: int = 200
    fair: bool = True
    streams: int = _MOST_STREAMS
    """Watches and other streams of one user."""


class Pool:
    """So many seats, and a queue for each user who waits for one."""

    def __init__(self, seats: int, longest_queue: int, patience: float = _PATIENCE, at_once: int = _NO_LIMIT) -> None:
        self.seats = seats
        self.taken = 0
        self._at_once = at_once
        self._begun = 0
        """How many have begun in this turn of the loop."""
        self._longest = longest_queue
        self._patience = patience
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}
        """The user whose turn it is comes first."""

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(map(len, self._queues.values()))

    async def enter(self, user: str) -> bool:
        """Whether the user has a seat now; who has one must leave it."""
        if not self._queues and self._is_free:
            self._take()
            return True
        if len(self._queues.get(user, ())) >= self._longest:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(user, deque()).append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError:
            return self._has_come(user, turn)
        except asyncio.CancelledError:
            if self._has_come(user, turn):
                self.leave()
            raise
        return True

    def leave(self) -> None:
        """Give the seat to who is next."""
        self.taken -= 1
        self._call()

    @property
    def _is_free(self) -> bool:
        return self.taken < self.seats and self._begun < self._at_once

    def _take(self) -> None:
        self.taken += 1
        if not self._begun:
            asyncio.get_running_loop().call_soon(self._turn)
        self._begun += 1

    def _turn(self) -> None:
        self._begun = 0
        self._call()

    def _call(self) -> None:
        """Let those begin whose turn it is, as far as there are seats."""
        while self._queues and self._is_free:
            user, queue = next(iter(self._queues.items()))
            del self._queues[user]
            turn = queue.popleft()
            if queue:
                self._queues[user] = queue  # behind all others
            if not turn.done():
                self._take()
                turn.set_result(None)

    def _has_come(self, user: str, turn: asyncio.Future[None]) -> bool:
        """Whether it was somebody's turn after all; if not, he waits no more."""
        if turn.done() and not turn.cancelled():
            return True
        queue = self._queues.get(user)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[user]
        return False


class Fairness:
    """The pools of a server, and the streams of each user."""

    def __init__(self, limits: Limits) -> None:
        if limits.fair:
            self.reading = Pool(limits.reading, _LONGEST_QUEUE, at_once=_READ_AT_ONCE)
            self.writing = Pool(limits.writing, _LONGEST_QUEUE, at_once=_WRITTEN_AT_ONCE)
        else:
            self.reading, self.writing = Pool(limits.reading or _NO_LIMIT, 0), Pool(limits.writing or _NO_LIMIT, 0)
        self.streams: Counter[str] = Counter()
        self._most_streams = limits.streams

    def pool_of(self, request: Request) -> Pool | None:
        """The pool that the request needs a seat of; None for who is never held up."""
        info = request.info
        if MASTERS in request.user.groups or (not info.resource_request and info.path.startswith(_HEALTH)):
            return None
        return self.reading if info.verb in _READING else self.writing

    def begin_stream(self, user: str) -> bool:
        """Whether the user may have one more; who has it must end it."""
        if self.streams[user] >= self._most_streams:
            return False
        self.streams[user] += 1
        return True

    def end_stream(self, user: str) -> None:
        """One less."""
        self.streams[user] -= 1
        if self.streams[user] <= 0:
            del self.streams[user]
