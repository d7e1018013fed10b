"""Threads that read, so that a long list does not hold up the event loop. Readers never wait for the writer."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from podward.store.sqlite.database import Database

Result = TypeVar("Result")

_THREADS = 2


class Readers:
    """A few threads, and a connection for each."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store-reader")
        self._connections: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        for _ in range(_THREADS):
            self._connections.put(database.connect())

    async def read(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `work` returns. Raises StoreError, and what `work` raises."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._with_connection, work)

    async def close(self) -> None:
        """Finish what is being read, and end the threads."""
        await asyncio.to_thread(self._threads.shutdown)
        for _ in range(_THREADS):
            self._connections.get().close()

    def _with_connection(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._connections.get()
        try:
            return work(connection)
        except sqlite3.Error as error:
            raise self._database.failure(error) from None
        finally:
            self._connections.put(connection)
