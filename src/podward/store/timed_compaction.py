"""Compaction from the first day, as kube-apiserver has it: every five minutes forget what was old five minutes ago."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from podward.errors import StoreError


async def regularly(step: Callable[[int], Awaitable[int]], revision: int, interval: float) -> None:
    """Call `step` with the revision of one interval ago, again and again; it returns the revision of now.

    A step that fails is tried again after the next interval, with the same revision.
    """
    while True:
        await asyncio.sleep(interval)
        with contextlib.suppress(StoreError):
            revision = await step(revision)
