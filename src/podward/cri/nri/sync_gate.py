"""Many at a time, or one alone: steps that change containers, and a plugin that is told what there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class SyncGate:
    """Those who come while somebody waits to be alone, wait behind him."""

    def __init__(self) -> None:
        self._inside = 0
        self._waiting = 0
        self._is_alone = False
        self._sleepers: list[asyncio.Future[None]] = []

    @contextlib.asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Within this, nobody is alone."""
        await self._until(lambda: not (self._waiting or self._is_alone))
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
            self._wake()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Within this, nobody else is inside."""
        self._waiting += 1
        try:
            await self._until(lambda: not (self._inside or self._is_alone))
        finally:
            self._waiting -= 1
            self._wake()
        self._is_alone = True
        try:
            yield
        finally:
            self._is_alone = False
            self._wake()

    async def _until(self, may_go: Callable[[], bool]) -> None:
        while not may_go():
            sleeper = asyncio.get_running_loop().create_future()
            self._sleepers.append(sleeper)
            await sleeper

    def _wake(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
