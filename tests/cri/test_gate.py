"""How many calls of a method go on at a time."""

from __future__ import annotations

import asyncio

import pytest

from podward.cri.gate import Gate, Limits, TooManyError


def test_one_subject_does_not_hold_up_another() -> None:
    async def main() -> None:
        gate, hang = Gate(Limits(at_once=4, of_one=2)), asyncio.Event()

        async def hold() -> None:
            async with gate.pass_through("hanging"):
                await hang.wait()

        hanging = [asyncio.create_task(hold()) for _ in range(4)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5), gate.pass_through("another"):
            pass
        hang.set()
        await asyncio.gather(*hanging)

    asyncio.run(main())


def test_no_more_than_the_limit_go_on_at_once() -> None:
    async def main() -> int:
        gate, inside, most = Gate(Limits(at_once=3, of_one=3)), 0, 0

        async def call(number: int) -> None:
            nonlocal inside, most
            async with gate.pass_through(str(number)):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0.001)
                inside -= 1

        await asyncio.gather(*(call(number) for number in range(20)))
        return most

    assert asyncio.run(main()) == 3


def test_where_too_many_wait_another_one_is_refused_until_they_are_through() -> None:
    async def main() -> None:
        gate, hang = Gate(Limits(at_once=1, of_one=1, waiting=1)), asyncio.Event()

        async def hold() -> None:
            async with gate.pass_through("x"):
                await hang.wait()

        both = [asyncio.create_task(hold()) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyError):
            await hold()
        hang.set()
        await asyncio.gather(*both)
        await hold()

    asyncio.run(main())


def test_whoever_gives_up_waiting_leaves_his_place() -> None:
    async def main() -> None:
        gate, hang = Gate(Limits(at_once=1, of_one=1, waiting=1)), asyncio.Event()

        async def hold() -> None:
            async with gate.pass_through("x"):
                await hang.wait()

        first, second = (asyncio.create_task(hold()) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        third = asyncio.create_task(hold())
        hang.set()
        async with asyncio.timeout(5):
            await asyncio.gather(first, third)

    asyncio.run(main())
