"""A worker: one failure keeps nothing else from being looked at, and what is left is looked at again."""

from __future__ import annotations

import asyncio

import pytest

from podward.server.controllers import worker
from podward.server.controllers.worker import Worker


def test_what_fails_or_is_not_done_is_looked_at_again_and_the_others_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_AGAIN", 0.01)
    asyncio.run(_until_all_is_done())


async def _until_all_is_done() -> None:
    looked: list[str] = []
    done = asyncio.Event()

    async def look(key: str) -> bool:
        looked.append(key)
        if key == "bad" and looked.count(key) == 1:
            raise RuntimeError("unforeseen")
        if looked.count("bad") > 1 and looked.count("slow") > 1:
            done.set()
        return key != "slow" or looked.count(key) > 1

    found = Worker(look, "a test")
    found.note(["bad", "slow", "good"])
    found.start()
    async with asyncio.timeout(10):
        await done.wait()
    await found.close()
    assert looked.count("good") == 1


def test_what_is_noted_while_it_waits_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_AGAIN", 3600.0)
    asyncio.run(_until_the_late_one_is_seen())


async def _until_the_late_one_is_seen() -> None:
    seen = asyncio.Event()

    async def look(key: str) -> bool:
        if key == "late":
            seen.set()
        return key != "never"

    found = Worker(look, "a test")
    found.note(["never"])
    found.start()
    await asyncio.sleep(0.01)
    found.note(["late"])
    async with asyncio.timeout(10):
        await seen.wait()
    await found.close()


def test_what_is_left_is_looked_at_at_once_where_what_it_waits_for_may_be_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_AGAIN", 3600.0)
    asyncio.run(_until_the_left_one_is_done())


async def _until_the_left_one_is_done() -> None:
    looked: list[str] = []
    waits, done = asyncio.Event(), asyncio.Event()

    async def look(key: str) -> bool:
        looked.append(key)
        (done if len(looked) > 1 else waits).set()
        return len(looked) > 1

    found = Worker(look, "a test")
    found.note(["waits"])
    found.start()
    async with asyncio.timeout(10):
        await waits.wait()
        found.retry()
        await done.wait()
    await found.close()
