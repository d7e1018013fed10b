"""How many calls of a method go on at a time: the rest waits in the order of coming, and too many are refused.

Each subject (a container, a sandbox, an image) has a smaller share of its own, so that the calls of one, such as probes
that hang, do not hold up those of the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from msgspec import Struct


class Limits(Struct, frozen=True):
    """`at_once` in all and `of_one` of one subject are carried out at a time; `waiting` more may wait."""

    at_once: int = 32
    of_one: int = 8
    waiting: int = 512


class TooManyError(Exception):
    """So many wait that another one is refused."""


class Gate:
    """One method's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.at_once)
        self._shares: dict[str, asyncio.Semaphore] = {}
        self._inside: dict[str, int] = {}
        self._all = 0

    @contextlib.asynccontextmanager
    async def pass_through(self, subject: str) -> AsyncIterator[None]:
        """Wait for a place, and have it while this lasts. Raises TooManyError."""
        if self._all >= self._limits.at_once + self._limits.waiting:
            raise TooManyError
        share = self._shares.setdefault(subject, asyncio.Semaphore(self._limits.of_one))
        self._inside[subject] = self._inside.get(subject, 0) + 1
        self._all += 1
        try:
            async with share, self._places:
                yield
        finally:
            self._all -= 1
            self._inside[subject] -= 1
            if not self._inside[subject]:
                del self._inside[subject], self._shares[subject]
