"""The audit log as the event loop sees it: a thread writes it, so that a slow disk holds up only those who must wait.

Specification: Kubernetes, k8s.io/apiserver, `--audit-log-mode`. `blocking`: an answer waits until its event is in the
file, but is given even if that fails. `blocking-strict`: what cannot be noted is not begun. `batch`: nobody waits.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time

from msgspec import Struct

from podward.server.audit.files import DEFAULT, Keeping, LogFile
from podward.store.groups import next_group

BATCH, BLOCKING, STRICT = "batch", "blocking", "blocking-strict"
MODES = (BATCH, BLOCKING, STRICT)
MOST_WAITING, MOST_BYTES = 10_000, 64 << 20
"""What may wait to be written where nobody waits for it: the rest is lost, and counted."""
_GROUP = 256
_QUIET = 10.0
"""Seconds between two complaints about a file that cannot be written."""
_log = logging.getLogger("podward.server")


class _Waiting(Struct, frozen=True, eq=False):
    line: bytes
    written: asyncio.Future[bool] | None


class AuditLog:
    """The log. Made in the event loop that uses it."""

    def __init__(self, path: str, mode: str = BLOCKING, keeping: Keeping = DEFAULT) -> None:
        """Raises InputError where the file cannot be written."""
        self.mode = mode
        self.told = self.lost = 0
        """Events that were given to the log, and those that are in no file."""
        self._file = LogFile(path, keeping)
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting = self._bytes = 0
        self._complained = -_QUIET
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="audit-log", daemon=True)
        self._thread.start()

    def tell(self, line: bytes) -> None:
        """Write this, and don't wait for it."""
        self.told += 1
        if self._closed or not line or self._waiting >= MOST_WAITING or self._bytes + len(line) > MOST_BYTES:
            self.lost += 1
        else:
            self._put(_Waiting(line, None))

    async def write(self, line: bytes) -> bool:
        """Whether this is in the file; where nobody waits for that, it is taken as written."""
        if self.mode == BATCH or self._closed or not line:
            self.tell(line)
            return not self._closed
        self.told += 1
        waiting: asyncio.Future[bool] = self._loop.create_future()
        self._put(_Waiting(line, waiting))
        return await waiting

    async def close(self) -> None:
        """Write what waits, and let the file go."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._file.close()

    def _put(self, waiting: _Waiting) -> None:
        self._waiting += 1
        self._bytes += len(waiting.line)
        self._queue.put(waiting)

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = next_group(self._queue, _GROUP)
            if group:
                why = self._append([waiting.line for waiting in group])
                self._loop.call_soon_threadsafe(self._finish, group, why)

    def _append(self, lines: list[bytes]) -> str:
        """Write; why it failed, or nothing."""
        try:
            self._file.append(lines)
        except OSError as error:
            return error.strerror or type(error).__name__
        return ""

    def _finish(self, group: list[_Waiting], why: str) -> None:
        for waiting in group:
            self._waiting -= 1
            self._bytes -= len(waiting.line)
            if waiting.written is not None and not waiting.written.done():
                waiting.written.set_result(not why)
        if why:
            self.lost += len(group)
            if time.monotonic() - self._complained >= _QUIET:
                self._complained = time.monotonic()
                _log.error("the audit log cannot be written: %s; %d events are lost so far", why, self.lost)
