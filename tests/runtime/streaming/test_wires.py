"""What is held between a client and a process: within a bound, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from podward.runtime.streaming import wires
from podward.runtime.streaming.wires import Held, Inbox


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_more_than_is_held_waits_until_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST_HELD", 10)

    async def work() -> None:
        held = Held()
        one, other = Inbox(held), Inbox(held)
        await one.put(b"12345")
        await other.put(b"1234")
        putting = asyncio.create_task(one.put(b"67"))
        await asyncio.sleep(0.05)
        assert not putting.done()
        assert await other.get() == b"1234"
        await putting
        assert [await one.get(), await one.get()] == [b"12345", b"67"]

    run(work())


def test_what_waits_comes_before_the_end() -> None:
    async def work() -> None:
        inbox = Inbox()
        await inbox.put(b"last")
        inbox.end()
        await inbox.put(b"after the end")
        assert [await inbox.get(), await inbox.get(), await inbox.get()] == [b"last", b"", b""]

    run(work())


def test_a_stream_that_is_broken_off_gives_nothing_more() -> None:
    async def work() -> None:
        inbox = Inbox()
        await inbox.put(b"waits")
        inbox.break_off()
        with pytest.raises(ConnectionResetError):
            await inbox.get()

    run(work())


def test_a_stream_that_is_refused_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST_HELD", 10)

    async def work() -> None:
        held = Held()
        refused, other = Inbox(held), Inbox(held)
        putting = asyncio.create_task(refused.put(bytes(100)))
        await asyncio.sleep(0.05)
        refused.refuse()
        await putting
        await refused.put(bytes(100))
        await other.put(b"room")
        assert await other.get() == b"room"

    run(work())
