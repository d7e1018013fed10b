"""How long a process goes on whose verbs the engine does: until it is told to end, or until the engine has ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable

from podward.runtime.workers.client import EngineClient, Service

_GRACE = 5.0
"""Seconds that an engine is waited for that may end."""


class End:
    """The end of the process, which SIGTERM, SIGINT or the engine's end is."""

    def __init__(self) -> None:
        self.told = asyncio.Event()
        self.engine_gone = asyncio.Event()

    async def comes(self) -> None:
        """Return once it is there."""
        waiting = [asyncio.create_task(event.wait()) for event in (self.told, self.engine_gone)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def exit_code(self, failed: Callable[[str], None]) -> int:
        """The process's; an engine that has ended by itself is told of."""
        if not self.engine_gone.is_set():
            return 0
        failed("the process that does the work has ended: without it nothing can be done")
        return 1


@contextlib.asynccontextmanager
async def with_engine(engine: EngineClient[Service]) -> AsyncIterator[End]:
    """Hear of the end, and let the engine end after it: its workers go on to theirs."""
    loop, end = asyncio.get_running_loop(), End()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.told.set)
    watched = os.pidfd_open(engine.pid)
    loop.add_reader(watched, end.engine_gone.set)
    try:
        yield end
    finally:
        engine.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(end.engine_gone.wait(), _GRACE)
            os.waitpid(engine.pid, 0)  # noqa: ASYNC222 - it has ended
        loop.remove_reader(watched)
        os.close(watched)
