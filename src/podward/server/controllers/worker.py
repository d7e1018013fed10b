"""One worker of a controller: looks at what was noted, one after the other, and again where something is left to do.

What fails keeps nothing else from being looked at; it is told to the log, and tried again a little later.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from podward.server import failures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

_AGAIN = 10.0
"""Seconds until what is left is looked at again."""


class Worker:
    """Looks at keys. `look` says whether nothing is left to be done about one; `what` names them in the log."""

    def __init__(
        self,
        look: Callable[[str], Awaitable[bool]],
        what: str,
        regularly: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`regularly` is called every few seconds as well."""
        self._look = look
        self._what = what
        self._regularly = regularly
        self._keys: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def note(self, keys: Iterable[str]) -> None:
        """Have these looked at."""
        before = len(self._keys)
        self._keys.update(keys)
        if len(self._keys) > before:
            self._changed.set()

    def retry(self) -> None:
        """Have what is left looked at now: what it waits for may be there."""
        self._changed.set()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            left: set[str] = set()
            while self._keys:
                key = self._keys.pop()
                if not await self._is_done(key):
                    left.add(key)
            waits = left or self._regularly is not None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN if waits else None):
                    await self._changed.wait()
            self._keys |= left
            if self._regularly is not None:
                await self._guarded(self._regularly())

    async def _is_done(self, key: str) -> bool:
        return await self._guarded(self._look(key)) is True

    async def _guarded(self, looked: Awaitable[bool | None]) -> bool | None:
        try:
            return await looked
        except Exception as error:  # noqa: BLE001 - one of them must not keep the others from all
            failures.log(self._what, error)
            return False
