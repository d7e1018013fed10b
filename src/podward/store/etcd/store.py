"""The etcd store, as the event loop sees it: `podward.store.interface.Store`.

A key of ours is etcd's with a prefix before it, as kube-apiserver's `--etcd-prefix`. One watch of etcd, of all that is
under the prefix, feeds all of ours; a key that every server writes when it starts gives that watch a revision to begin
at, and whoever reads the history before it an event to end with.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Sequence

from podward.errors import CompactedError, PodwardError, StoreError
from podward.store import future_revision, timed_compaction
from podward.store.etcd import messages
from podward.store.etcd.client import Client, Tls
from podward.store.etcd.compactor import Compactor
from podward.store.etcd.messages import KeyValue, RangeResponse, TxnResponse, WatchEvent
from podward.store.fanout import Fanout, FanoutWatch
from podward.store.interface import Event, Exists, Mismatch, Page, Stored
from podward.store.keys import end_of
from podward.store.options import INTERVAL

PREFIX = "/podward"

_OWN = "/\0"
"""What our own keys begin with; those of objects come after them."""
_FIRST = "/\1"
_PAUSE = 0.2
"""Seconds before a watch that broke is begun again."""


class EtcdStore:
    """The keys under one prefix of an etcd. Made by `open` in the event loop that uses it."""

    def __init__(self, client: Client, prefix: str, revision: int, compaction_interval: float) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/").encode()
        self._fanout = Fanout(self, revision)
        self._tasks = [asyncio.create_task(self._follow())]
        if compaction_interval:
            compactor = Compactor(client, self._key(f"{_OWN}compaction"))
            every = timed_compaction.regularly(compactor.step, revision, compaction_interval)
            self._tasks.append(asyncio.create_task(every))

    @classmethod
    async def open(
        cls,
        endpoints: tuple[str, ...],
        *,
        tls: Tls | None = None,
        prefix: str = PREFIX,
        compaction_interval: float = INTERVAL,
    ) -> EtcdStore:
        """The store in the etcd at these endpoints, `host:port`. Interval 0: no compaction. Raises StoreError."""
        client = Client(endpoints, tls)
        try:
            started = await _mark_start(client, f"{prefix.rstrip('/')}{_OWN}started".encode())
        except BaseException:
            await client.close()
            raise
        return cls(client, prefix, started, compaction_interval)

    async def get(self, key: str, revision: int = 0) -> Stored | None:
        """The value of this key."""
        answer = await self._range(messages.range_request(self._key(key), revision=revision), revision)
        return self._stored(answer.found[0]) if answer.found else None

    async def list(self, prefix: str, limit: int = 0, start: str = "", revision: int = 0) -> Page:
        """The keys that begin with `prefix`."""
        begin, end = self._key(max(prefix, start, _FIRST)), self._key(end_of(prefix))
        answer = await self._range(messages.range_request(begin, end, limit=limit, revision=revision), revision)
        items = tuple(self._stored(each) for each in answer.found)
        remaining = answer.count - len(items) if answer.more else 0
        return Page(items, revision or answer.revision, more=answer.more, remaining=remaining)

    async def create(self, key: str, value: bytes) -> Stored | Exists:
        """Store a value under a key that is not there."""
        where = self._key(key)
        answer = await self._txn(where, 0, (messages.put(where, value),))
        if not answer.succeeded:
            return Exists(self._stored(answer.found[0][0]))  # a key that is not there equals the revision 0
        return Stored(key, value, answer.revision, answer.revision)

    async def update(self, key: str, value: bytes, expected: int) -> Stored | Mismatch:
        """Replace the value that was written at revision `expected`."""
        if expected <= 0:
            return Mismatch(await self.get(key))
        where = self._key(key)
        answer = await self._txn(where, expected, (messages.put(where, value), messages.look(where, keys_only=1)))
        if not answer.succeeded:
            return Mismatch(self._found(answer))
        return Stored(key, value, answer.revision, answer.found[1][0].created)

    async def delete(self, key: str, expected: int) -> Stored | Mismatch:
        """Delete the value that was written at revision `expected`."""
        if expected <= 0:
            return Mismatch(await self.get(key))
        where = self._key(key)
        answer = await self._txn(where, expected, (messages.delete(where),))
        if not answer.succeeded:
            return Mismatch(self._found(answer))
        [last] = answer.found[0]
        return Stored(key, last.value, answer.revision, last.created)

    def watch(self, prefix: str, after: int) -> FanoutWatch:
        """The changes of the keys that begin with `prefix`, after revision `after`."""
        return self._fanout.watch(prefix, after)

    async def changes(
        self, prefix: str, after: int, until: int, limit: int
    ) -> AsyncGenerator[tuple[Sequence[Event], int], None]:
        """What watches missed: `podward.store.fanout.History`. `until` is a revision at which there was an event."""
        piece: list[Event] = []
        async for group, revision in self._groups(after):
            piece += [event for event in group if event.stored.key.startswith(prefix)]
            past = [event for event in piece if event.stored.revision <= until]
            if revision >= until:
                yield past, until
                return
            if len(piece) >= limit:
                yield piece, revision
                piece = []

    async def revision(self) -> int:
        """The revision of the last write."""
        nothing = messages.range_request(self._key(_OWN), count_only=1)
        return (await self._client.read(messages.RANGE, nothing, messages.range_response)).revision

    async def reach(self, revision: int) -> None:
        """Return once the store has come to this revision."""
        if revision > self._fanout.revision:
            await future_revision.reach(revision, self.revision)

    async def compact(self, before: int) -> None:
        """Forget what only revisions before this one had."""
        await self.reach(before)
        await self._client.compact(before)

    async def close(self) -> None:
        """End all watches, let etcd go."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        self._fanout.close()
        await self._client.close()

    async def _follow(self) -> None:
        """Publish what etcd tells, for as long as the store is open; what breaks is begun again where it broke."""
        while True:
            try:
                async for events, revision in self._groups(self._fanout.revision):
                    self._fanout.publish(events, revision)
            except CompactedError:
                with contextlib.suppress(PodwardError):
                    self._fanout.jump(await _mark_start(self._client, self._key(f"{_OWN}started")))
            except StoreError:
                await asyncio.sleep(_PAUSE)

    async def _groups(self, after: int) -> AsyncGenerator[tuple[Sequence[Event], int], None]:
        """All changes after a revision, as etcd sends them, but never a part of a revision's."""
        # etcd may have forgotten a deletion at the very revision that it compacted to: so ask from `after` itself on,
        # which it refuses then.
        request = messages.watch_request(self._key(_OWN), self._key(end_of("/")), max(after, 1))
        waiting: list[WatchEvent] = []
        async for response in self._client.watch(request, after):
            waiting += response.events
            if response.fragment or not waiting:
                continue
            revision = waiting[-1].after.modified
            if revision > after:
                yield tuple(self._events(event for event in waiting if event.after.modified > after)), revision
            waiting = []

    def _events(self, changes: Iterable[WatchEvent]) -> Iterable[Event]:
        own = self._key(_OWN)
        for change in changes:
            if change.after.key.startswith(own):
                continue
            before = None if change.before is None else change.before.value
            if not change.deleted:
                yield Event("PUT", self._stored(change.after), before)
            elif change.before is not None:
                gone = self._stored(change.before)
                yield Event("DELETE", Stored(gone.key, gone.value, change.after.modified, gone.created), before)

    async def _range(self, request: bytes, revision: int) -> RangeResponse:
        if revision:
            await self.reach(revision)
        try:
            return await self._client.read(messages.RANGE, request, messages.range_response)
        except CompactedError:
            raise CompactedError(revision, 0) from None

    async def _txn(self, where: bytes, expected: int, then: tuple[bytes, ...]) -> TxnResponse:
        comparison = messages.if_modified_at(where, expected)
        request = messages.txn_request(comparison, then, (messages.look(where),))
        return await self._client.write(messages.TXN, request, messages.txn_response)

    def _key(self, key: str) -> bytes:
        return self._prefix + key.encode()

    def _stored(self, found: KeyValue) -> Stored:
        key = found.key[len(self._prefix) :].decode(errors="replace")
        return Stored(key, found.value, found.modified, found.created)

    def _found(self, answer: TxnResponse) -> Stored | None:
        """What a transaction found that was refused."""
        return self._stored(answer.found[0][0]) if answer.found[0] else None


async def _mark_start(client: Client, key: bytes) -> int:
    """Write the key of servers that start; the revision of that."""
    comparison = messages.if_version_is(key, 0)
    request = messages.txn_request(comparison, (messages.put(key, b""),), (messages.put(key, b""),))
    return (await client.write(messages.TXN, request, messages.txn_response)).revision
