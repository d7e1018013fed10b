"""The one thread that writes. All writes that wait are written in one commit, because a commit waits for the disk.

Each write of a group sees what those before it did, so two that expect the same revision do not both succeed. Where the
commit fails, all of its group fail, and nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from msgspec import Struct

from podward.errors import StoreError
from podward.store.groups import next_group
from podward.store.interface import Event, Exists, Mismatch, Stored
from podward.store.sqlite.database import Database
from podward.store.sqlite.reading import change, last_revision, stored

Answer = Stored | Exists | Mismatch
Result = TypeVar("Result")

LARGEST_GROUP = 256
_PAGES_BEFORE_CHECKPOINT = 2000


class Write(Struct, frozen=True):
    """A write that waits. `expected` is 0 for a create; `value` is None for a deletion."""

    key: str
    value: bytes | None
    expected: int


class _WaitingWrite(Struct, frozen=True, eq=False):
    write: Write
    future: asyncio.Future[Answer]


class _WaitingJob(Struct, frozen=True, eq=False):
    """Another piece of work, for a transaction of its own."""

    work: Callable[[sqlite3.Connection], None]
    future: asyncio.Future[None]


_Waiting: TypeAlias = _WaitingWrite | _WaitingJob


class Writer:
    """Hands writes to the thread, and what came of them back to the event loop.

    `published` is called in the loop's thread with the changes of each commit, in order.
    """

    def __init__(self, database: Database, published: Callable[[list[Event], int], None]) -> None:
        self._database = database
        self._connection = database.connect()
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
        self._published = published
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = False
        self._revision = last_revision(self._connection)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, write: Write) -> Answer:
        """What came of this write, once it is on disk. Raises StoreError, and UnicodeError of a key that is no text."""
        write.key.encode()  # here it fails alone, later it would fail its whole group
        waiting = _WaitingWrite(write, self._loop.create_future())
        self._hand_over(waiting)
        return await waiting.future

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Do something in a transaction of its own. Raises StoreError."""
        results: list[Result] = []
        waiting = _WaitingJob(lambda connection: results.append(work(connection)), self._loop.create_future())
        self._hand_over(waiting)
        await waiting.future
        return results[0]

    async def close(self) -> None:
        """Finish the writes that wait, and end the thread."""
        if self._closing:
            return
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _hand_over(self, waiting: _WaitingWrite | _WaitingJob) -> None:
        if self._closing:
            raise StoreError("the store is closed", where=self._database.file)
        self._queue.put(waiting)

    def _run(self) -> None:
        ended = False
        while not ended:
            found: tuple[list[_Waiting], bool] = next_group(self._queue, LARGEST_GROUP)
            group, ended = found
            writes = [waiting for waiting in group if isinstance(waiting, _WaitingWrite)]
            if writes:
                self._commit(writes)
            for waiting in group:
                if isinstance(waiting, _WaitingJob):
                    self._do(waiting)

    def _do(self, waiting: _WaitingJob) -> None:
        try:
            self._in_transaction(waiting.work)
        except StoreError as error:
            self._loop.call_soon_threadsafe(_fail, waiting.future, error)
        else:
            self._loop.call_soon_threadsafe(_answer, waiting.future, None)

    def _commit(self, group: list[_WaitingWrite]) -> None:
        answers: list[Answer] = []
        events: list[Event] = []

        def work(connection: sqlite3.Connection) -> None:
            for waiting in group:
                answer, event = _apply(connection, waiting.write, self._revision + len(events) + 1)
                answers.append(answer)
                if event is not None:
                    events.append(event)

        try:
            self._in_transaction(work)
        except StoreError as error:
            for waiting in group:
                self._loop.call_soon_threadsafe(_fail, waiting.future, error)
            return
        self._revision += len(events)
        self._loop.call_soon_threadsafe(self._finish, group, answers, events)

    def _in_transaction(self, work: Callable[[sqlite3.Connection], None]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            work(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._database.failure(error) from None
        except Exception as error:  # a mistake of ours must not end the thread: everybody would wait for ever
            self._roll_back()
            raise StoreError(f"the store failed: {error!r}", where=self._database.file) from error

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _finish(self, group: list[_WaitingWrite], answers: list[Answer], events: list[Event]) -> None:
        for waiting, answer in zip(group, answers, strict=True):
            _answer(waiting.future, answer)
        if events:
            self._published(events, events[-1].stored.revision)


def _answer(future: asyncio.Future[Result], result: Result) -> None:
    if not future.done():  # its request may have been given up
        future.set_result(result)


def _fail(future: asyncio.Future[Result], error: StoreError) -> None:
    if not future.done():
        future.set_exception(error)


def _apply(connection: sqlite3.Connection, write: Write, revision: int) -> tuple[Answer, Event | None]:
    current = stored(connection, write.key)
    if current is None:
        if write.expected:
            return Mismatch(None), None
        previous, created, before = 0, revision, None
    elif write.expected != current.revision:
        return (Mismatch(current) if write.expected else Exists(current)), None
    else:
        previous, created, before = current.revision, current.created, current.value
    row = (revision, write.key, created, previous, write.value)
    connection.execute("INSERT INTO history (revision, key, created, previous, value) VALUES (?, ?, ?, ?, ?)", row)
    if write.value is None:
        connection.execute("DELETE FROM current WHERE key = ?", (write.key,))
    else:
        replaced = "INSERT INTO current VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision"
        connection.execute(replaced, (write.key, revision, created))
    event = change(write.key, write.value, revision, created, before)
    return event.stored, event
