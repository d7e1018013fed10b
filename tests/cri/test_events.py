"""Events reach whoever listens, each once; who is too slow is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_status import ContainerEventResponse
from podward.cri import events
from podward.cri.events import Events, Happening
from podward.runtime.service.exits import ExitWatch

ID, POD = "a" * 64, "b" * 64


def describe(identifier: str, sandbox: str, happening: Happening) -> ContainerEventResponse:
    assert sandbox == POD
    return ContainerEventResponse(identifier, happening.value, 1)


async def collected(source: Events, into: list[str]) -> CriRefusal | None:
    async for event in source.stream():
        if isinstance(event, CriRefusal):
            return event
        into.append(event.container_event_type)
    return None


def in_time(main: Coroutine[None, None, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(20):
            await main

    asyncio.run(limited())


def test_every_listener_hears_every_event_in_order() -> None:
    async def main() -> None:
        source, heard = Events(describe), ([], [])  # type: tuple[Events, tuple[list[str], list[str]]]
        tasks = [asyncio.create_task(collected(source, into)) for into in heard]
        await asyncio.sleep(0)
        for happening in Happening:
            source.tell(happening, ID, POD)
        source.close()
        await asyncio.gather(*tasks)
        assert heard[0] == heard[1] == [happening.value for happening in Happening]

    in_time(main())


def test_an_end_is_told_once() -> None:
    async def main() -> None:
        source, heard = Events(describe), list[str]()
        task = asyncio.create_task(collected(source, heard))
        await asyncio.sleep(0)
        for _ in range(3):
            source.tell(Happening.STOPPED, ID, POD)
        source.close()
        await task
        assert heard == [Happening.STOPPED.value]

    in_time(main())


def test_who_reads_too_slowly_is_told_to_list_anew() -> None:
    async def main() -> None:
        source, heard = Events(describe), list[str]()
        task = asyncio.create_task(collected(source, heard))
        await asyncio.sleep(0)
        for _ in range(events.MOST_WAITING + 5):
            source.tell(Happening.CREATED, ID, POD)
        refused = await task
        assert refused is not None
        assert refused.code is CriCode.RESOURCE_EXHAUSTED
        assert len(heard) == events.MOST_WAITING

    in_time(main())


def test_a_monitors_exit_file_is_heard_of(tmp_path: Path) -> None:
    async def main() -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        watch = ExitWatch(str(tmp_path), heard.put_nowait)
        (tmp_path / "part").write_text("0")
        (tmp_path / "part").rename(tmp_path / ID)
        assert await heard.get() == ID
        (tmp_path / POD).write_text("1")
        assert await heard.get() == POD
        watch.close()

    in_time(main())
