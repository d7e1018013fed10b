"""Handing each change to all who watch it: one object for all of them, and bounded memory for each.

A watch is *live* while it keeps up: changes are put into its buffer as they are made. One whose reader is slow, or that
begins in the past, is *behind*: it reads the store's history, a piece at a time, until it has caught up. So a slow
reader costs no memory and loses nothing; it ends with CompactedError when the history itself is forgotten.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol
from weakref import WeakValueDictionary

from podward.errors import PodwardError
from podward.store.interface import Event

MOST_EVENTS = 256
MOST_BYTES = 256 * 1024
"""What a buffer may hold before its watch is behind. One group of changes may exceed it."""
PIECE = 128
"""Events that are read from history at a time."""


class History(Protocol):
    """The changes that were."""

    def changes(
        self, prefix: str, after: int, until: int, limit: int
    ) -> AsyncGenerator[tuple[Sequence[Event], int], None]:
        """The changes under `prefix` after one revision and until another: pieces, each with its last revision.

        A piece has about `limit` events; after the last piece everything until `until` was told. Raises CompactedError.
        """


class Fanout:
    """All watches of a store. `publish` and `watch` are called in the event loop's thread."""

    def __init__(self, history: History, revision: int) -> None:
        self.history = history
        self.revision = revision
        """The revision up to which changes were published."""
        self._live: dict[str, list[FanoutWatch]] = {}
        self._open: set[FanoutWatch] = set()
        self._read: WeakValueDictionary[tuple[int, str], Event] = WeakValueDictionary()

    def publish(self, events: Sequence[Event], revision: int) -> None:
        """Hand out the next changes, which are in order of their revisions: all until `revision`."""
        self.revision = revision
        events = self.shared(events)
        for prefix, watches in tuple(self._live.items()):
            matching = [event for event in events if event.stored.key.startswith(prefix)]
            if matching:
                size = sum(len(event.stored.value) for event in matching)
                for watch in tuple(watches):
                    watch.offer(matching, size)

    def watch(self, prefix: str, after: int) -> FanoutWatch:
        """A watch of the changes after this revision."""
        watch = FanoutWatch(self, prefix, after)
        self._open.add(watch)
        return watch

    def jump(self, revision: int) -> None:
        """Changes until this revision will not be published: watches look for them in history."""
        for watch in [watch for watches in self._live.values() for watch in watches]:
            watch.fall_behind()
        self.revision = revision

    def close(self) -> None:
        """End all watches."""
        for watch in tuple(self._open):
            watch.close()

    def shared(self, events: Sequence[Event]) -> list[Event]:
        """These events; in the place of each the one that a watch already holds of the same change."""
        return [self._read.setdefault((event.stored.revision, event.stored.key), event) for event in events]

    def join(self, watch: FanoutWatch) -> None:
        """Publish to `watch` from now on."""
        self._live.setdefault(watch.prefix, []).append(watch)

    def leave(self, watch: FanoutWatch) -> None:
        """Publish to `watch` no more."""
        watches = self._live[watch.prefix]
        watches.remove(watch)
        if not watches:
            del self._live[watch.prefix]

    def forget(self, watch: FanoutWatch) -> None:
        """Let go of a watch that has ended."""
        self._open.discard(watch)


class FanoutWatch:
    """One reader's watch, see `podward.store.interface.Watch`."""

    def __init__(self, fanout: Fanout, prefix: str, after: int) -> None:
        self.prefix = prefix
        self._fanout = fanout
        self._buffer: deque[Event] = deque()
        self._size = 0
        self._live = False
        self._told = after
        self._position = after
        """Up to here everything is in the buffer or was told."""
        self._past: AsyncGenerator[tuple[Sequence[Event], int], None] | None = None
        self._until = 0
        """Where the history ends that is being read."""
        self._ended = False
        self._error: PodwardError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def revision(self) -> int:
        """The revision up to which the reader has been told everything."""
        if self._buffer:
            return self._told
        return max(self._position, self._fanout.revision) if self._live else self._position

    def __aiter__(self) -> FanoutWatch:
        return self

    async def __anext__(self) -> Event:
        """The next event, waiting for it."""
        if not self._buffer and not await self._fill():
            raise StopAsyncIteration
        event = self._buffer.popleft()
        self._size -= len(event.stored.value)
        self._told = event.stored.revision
        return event

    async def batch(self) -> tuple[Event, ...]:
        """The next events, as many as are here, waiting for one; empty at the end."""
        if not self._buffer and not await self._fill():
            return ()
        events = tuple(self._buffer)
        self._buffer.clear()
        self._size = 0
        self._told = events[-1].stored.revision
        return events

    def close(self) -> None:
        """End the watch."""
        self._buffer.clear()
        self._end()

    def offer(self, events: Sequence[Event], size: int) -> None:
        """These changes were made, with values of this many bytes."""
        if len(self._buffer) >= MOST_EVENTS or (self._buffer and self._size + size > MOST_BYTES):
            self.fall_behind()
            return
        if events[0].stored.revision <= self._position:
            events = [event for event in events if event.stored.revision > self._position]
            size = sum(len(event.stored.value) for event in events)
        self._buffer.extend(events)
        self._size += size
        self._wake()

    def fall_behind(self) -> None:
        """Look for the next changes in history: no more are offered until all were found."""
        last = self._buffer[-1].stored.revision if self._buffer else self._fanout.revision
        self._position = max(self._position, last)
        self._live = False
        self._fanout.leave(self)
        self._wake()

    def fail(self, error: PodwardError) -> None:
        """The reader is told what is in the buffer, then this error."""
        self._error = error
        self._end()

    async def _fill(self) -> bool:
        """Wait until there is something in the buffer; False if the watch has ended instead."""
        while not self._buffer:
            if self._error is not None:
                raise self._error
            if self._ended:
                return False
            if self._live:
                await self._more()
            elif self._position >= self._fanout.revision:
                self._live = True
                self._fanout.join(self)
            else:
                await self._catch_up()
        return True

    async def _more(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _catch_up(self) -> None:
        """Read the next piece of history."""
        if self._past is None:
            self._until = self._fanout.revision
            self._past = self._fanout.history.changes(self.prefix, self._position, self._until, PIECE)
        try:
            events, self._position = await anext(self._past, ((), self._until))
        except PodwardError as error:
            self.fail(error)
            return
        except asyncio.CancelledError:  # ends what was being read, not the watch: it is read again
            self._past = None
            raise
        if self._position >= self._until:
            self._past = None
        if not self._ended:
            self._buffer.extend(self._fanout.shared(events))
            self._size = sum(len(event.stored.value) for event in events)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._past = None
        if self._live:
            self._live = False
            self._fanout.leave(self)
        self._fanout.forget(self)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
