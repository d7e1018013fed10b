"""Waiting for a revision that has not come: another server may have told the client of it a moment ago."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from podward.errors import FutureRevisionError

PATIENCE = 3.0
"""Seconds, as kube-apiserver's watch cache waits."""
_PAUSE = 0.05


async def reach(revision: int, current: Callable[[], Awaitable[int]]) -> None:
    """Return once the store has come to this revision. Raises FutureRevisionError."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while (now := await current()) < revision:
        if loop.time() >= end:
            raise FutureRevisionError(revision, now)
        await asyncio.sleep(_PAUSE)
