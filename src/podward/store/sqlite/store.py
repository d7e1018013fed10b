"""The SQLite store, as the event loop sees it: `podward.store.interface.Store`."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import TypeVar, cast

from podward.store import future_revision, timed_compaction
from podward.store.fanout import Fanout, FanoutWatch
from podward.store.interface import Event, Exists, Mismatch, Page, Stored
from podward.store.options import INTERVAL
from podward.store.sqlite import compacting, reading
from podward.store.sqlite.database import Database
from podward.store.sqlite.readers import Readers
from podward.store.sqlite.writer import Write, Writer

Result = TypeVar("Result")
_COMPACTION = "/podward/compaction"
"""A key of our own: the revision to which was last compacted."""


class SqliteStore:
    """One file in a directory. Made by `open` in the event loop that uses it."""

    def __init__(self, database: Database, compaction_interval: float) -> None:
        self._database = database
        self._connection = database.connect()
        self._readers = Readers(database)
        self._fanout = Fanout(self, reading.last_revision(self._connection))
        self._writer = Writer(database, self._fanout.publish)
        self._compaction: asyncio.Task[None] | None = None
        if compaction_interval:
            every = timed_compaction.regularly(self._compact_once, self._fanout.revision, compaction_interval)
            self._compaction = asyncio.create_task(every)
        self._closed = False

    @classmethod
    def open(cls, directory: str, compaction_interval: float = INTERVAL) -> SqliteStore:
        """The store in this directory, which is made where it is missing. An interval of 0: no compaction by itself.

        Raises StoreError.
        """
        database = Database(directory)
        try:
            return cls(database, compaction_interval)
        except BaseException:
            database.unlock()
            raise

    async def get(self, key: str, revision: int = 0) -> Stored | None:
        """The value of this key."""
        if not revision:
            return self._here(partial(reading.stored, key=key))
        await self.reach(revision)
        return await self._readers.read(partial(reading.stored_at, key=key, revision=revision))

    async def list(self, prefix: str, limit: int = 0, start: str = "", revision: int = 0) -> Page:
        """The keys that begin with `prefix`."""
        if not revision:
            return await self._readers.read(partial(reading.page, prefix=prefix, start=start, limit=limit))
        await self.reach(revision)
        at = partial(reading.page_at, prefix=prefix, start=start, limit=limit, revision=revision)
        return await self._readers.read(at)

    async def create(self, key: str, value: bytes) -> Stored | Exists:
        """Store a value under a key that is not there."""
        # A write that expects nothing is refused by what exists.
        return cast("Stored | Exists", await self._writer.write(Write(key, value, 0)))

    async def update(self, key: str, value: bytes, expected: int) -> Stored | Mismatch:
        """Replace the value that was written at revision `expected`."""
        return await self._replace(key, value, expected)

    async def delete(self, key: str, expected: int) -> Stored | Mismatch:
        """Delete the value that was written at revision `expected`."""
        return await self._replace(key, None, expected)

    def watch(self, prefix: str, after: int) -> FanoutWatch:
        """The changes of the keys that begin with `prefix`, after revision `after`."""
        return self._fanout.watch(prefix, after)

    async def changes(
        self, prefix: str, after: int, until: int, limit: int
    ) -> AsyncGenerator[tuple[Sequence[Event], int], None]:
        """What watches missed: `podward.store.fanout.History`."""
        while after < until:
            piece = partial(reading.changes, prefix=prefix, after=after, until=until, limit=limit)
            found = [await self._readers.read(piece)]
            after = found[0][1]
            yield found.pop()  # and hold on to nothing: who reads may hold it for long

    async def revision(self) -> int:
        """The revision of the last write."""
        return self._fanout.revision

    async def reach(self, revision: int) -> None:
        """Return once the store has come to this revision."""
        await future_revision.reach(revision, self.revision)

    async def compact(self, before: int) -> None:
        """Forget what only revisions before this one had."""
        await self.reach(before)
        await self._writer.run(partial(compacting.note_oldest, oldest=before))
        while await self._writer.run(compacting.erase_piece):
            pass

    async def close(self) -> None:
        """End all watches, finish the writes that are under way, let the file go."""
        if self._closed:
            return
        self._closed = True
        if self._compaction is not None:
            self._compaction.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._compaction
        await self._writer.close()
        self._fanout.close()
        await self._readers.close()
        self._connection.close()
        self._database.unlock()

    async def _replace(self, key: str, value: bytes | None, expected: int) -> Stored | Mismatch:
        if expected <= 0:
            return Mismatch(await self.get(key))
        return cast("Stored | Mismatch", await self._writer.write(Write(key, value, expected)))

    async def _compact_once(self, before: int) -> int:
        """Compact to this revision; the revision of now, which is one of our own, as kube-apiserver's compactor has it.

        So what was read when nobody wrote gets old, too.
        """
        known, value = await self.get(_COMPACTION), str(before).encode()
        if known is None:
            await self.create(_COMPACTION, value)
        else:
            await self.update(_COMPACTION, value, known.revision)
        now = self._fanout.revision
        await self.compact(before)
        return now

    def _here(self, read: Callable[[sqlite3.Connection], Result]) -> Result:
        """Read one value without another thread: it takes microseconds, and a thread would take more."""
        try:
            return read(self._connection)
        except sqlite3.Error as error:
            raise self._database.failure(error) from None
