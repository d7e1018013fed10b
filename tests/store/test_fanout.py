"""A watch whose reader gives up waiting, as one does who sends bookmarks, has lost nothing when he asks again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from podward.store.fanout import Fanout
from podward.store.interface import Event, Stored


class _SlowHistory:
    """One change at each revision; whoever reads it waits until it may be read."""

    def __init__(self) -> None:
        self.readable = asyncio.Event()

    async def changes(
        self,
        prefix: str,
        after: int,
        until: int,
        limit: int,  # noqa: ARG002  # each piece is one change
    ) -> AsyncGenerator[tuple[Sequence[Event], int], None]:
        for revision in range(after + 1, until + 1):
            if revision > 2:
                await self.readable.wait()
            yield [Event("PUT", Stored(f"{prefix}{revision}", b"{}", revision, revision), None)], revision


async def test_a_reader_who_gave_up_while_history_was_read_is_told_all_of_it() -> None:
    history = _SlowHistory()
    watch = Fanout(history, 5).watch("/pods/", 0)
    told = [event.stored.revision for _ in range(2) for event in await watch.batch()]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await watch.batch()
    assert watch.revision == 2
    history.readable.set()
    told += [event.stored.revision for _ in range(3) for event in await watch.batch()]
    assert told == [1, 2, 3, 4, 5]
