"""Verbs in worker processes: answers, refusals, failures, descriptors, and what outlives a worker."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from msgspec import Struct

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.errors import InputError
from podward.runtime import processes
from podward.runtime.workers import engine
from podward.runtime.workers.calls import Caller, Passed, Verb
from podward.runtime.workers.client import WORKER_DIED, EngineClient


class Text(Struct, frozen=True):
    text: str = ""


def _echo(service: str, arguments: Text, caller: Caller) -> Text:
    del caller
    return Text(f"{service}: {arguments.text} by {os.getpid()}")


def _refuse(service: str, arguments: Text, caller: Caller) -> Text | CriRefusal:
    del service, caller
    if arguments.text == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if arguments.text == "crash with a child":
        while_engine_lives = f"while kill -0 {os.getppid()} 2>/dev/null; do sleep 0.1; done"
        processes.spawn("/bin/sh", ("-c", while_engine_lives))
        os.kill(os.getpid(), signal.SIGKILL)
    if arguments.text == "input":
        raise InputError("not a name", where="field x", advice="write one")
    if arguments.text == "surprise":
        raise ZeroDivisionError(arguments.text)
    return CriRefusal(CriCode.NOT_FOUND, arguments.text)


def _several(service: str, arguments: Text, caller: Caller) -> Iterator[Text | CriRefusal | Passed[Text]]:
    del service
    read, write = os.pipe()
    os.write(write, arguments.text.encode())
    os.close(write)
    yield Passed(Text("first"), (read,))
    while not caller.is_gone:
        time.sleep(0.005)
    with open(arguments.text, "w", encoding="ascii") as file:
        file.write("gone")


def _leave(service: str, arguments: Text, caller: Caller) -> Text:
    """Leave a process behind that ends a little later than the worker."""
    del service, arguments, caller
    child = os.fork()
    if child == 0:
        time.sleep(0.2)
        os._exit(0)
    return Text(str(child))


ECHO = Verb("echo", Text, Text, _echo)
REFUSE: Verb[str, Text, Text] = Verb("refuse", Text, Text, _refuse)
SEVERAL: Verb[str, Text, Text] = Verb("several", Text, Text, _several)
LEAVE = Verb("leave", Text, Text, _leave)
UNKNOWN = Verb("unknown", Text, Text, _echo)


def is_there(path: str) -> bool:
    return os.path.exists(path)


async def becomes_true(what: Callable[[], bool]) -> None:
    for _ in range(1000):
        if what():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came")


With = Callable[[Callable[[EngineClient[str]], Awaitable[None]]], None]


@pytest.fixture
def with_engine() -> With:
    def run(use: Callable[[EngineClient[str]], Awaitable[None]]) -> None:
        pid, control = engine.start("service", {v.name: v for v in (ECHO, REFUSE, SEVERAL, LEAVE)})  # type: ignore[misc]

        async def main() -> None:
            client: EngineClient[str] = EngineClient(pid, control)
            try:
                await use(client)
            finally:
                client.close()

        try:
            asyncio.run(main())
        finally:
            assert os.waitpid(pid, 0)[1] == 0

    return run


def test_every_call_has_a_process_of_its_own(with_engine: With) -> None:
    async def use(client: EngineClient[str]) -> None:
        async def said_to(number: int) -> str:
            answer = await client.call(ECHO, Text(f"n{number}"))
            assert isinstance(answer, Text)
            return answer.text

        said = await asyncio.gather(*map(said_to, range(20)))
        assert [text.split(" by ")[0] for text in said] == [f"service: n{n}" for n in range(20)]
        assert len({text.split(" by ")[1] for text in said}) == 20

    with_engine(use)


def test_large_arguments_and_answers_pass(with_engine: With) -> None:
    async def use(client: EngineClient[str]) -> None:
        answer = await client.call(ECHO, Text("x" * 3_000_000))
        assert isinstance(answer, Text)
        assert len(answer.text) > 3_000_000

    with_engine(use)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("nobody", CriCode.NOT_FOUND, "nobody"),
        ("input", CriCode.INVALID_ARGUMENT, "field x: not a name\n  write one"),
        ("surprise", CriCode.INTERNAL, "ZeroDivisionError"),
        ("crash", CriCode.UNAVAILABLE, "without an answer"),
        ("crash with a child", CriCode.UNAVAILABLE, "without an answer"),
    ],
)
def test_whatever_fails_is_an_answer(with_engine: With, text: str, code: CriCode, words: str) -> None:
    async def use(client: EngineClient[str]) -> None:
        async with asyncio.timeout(30):
            answer = await client.call(REFUSE, Text(text))
        assert isinstance(answer, CriRefusal)
        assert answer.code is code
        assert words in answer.message
        later = await client.call(ECHO, Text("still there"))
        assert isinstance(later, Text)

    with_engine(use)


def test_a_verb_that_is_not_in_the_table_is_not_done(with_engine: With) -> None:
    async def use(client: EngineClient[str]) -> None:
        answer = await client.call(UNKNOWN, Text("x"))
        assert isinstance(answer, CriRefusal)
        assert answer.code is CriCode.UNIMPLEMENTED

    with_engine(use)


def test_descriptors_come_along_and_a_worker_hears_that_its_caller_is_gone(
    with_engine: With, tmp_path: os.PathLike[str]
) -> None:
    file = f"{os.fspath(tmp_path)}/gone"

    async def use(client: EngineClient[str]) -> None:
        async with await client.open(SEVERAL, Text(file)) as call:
            assert await call.answer() == Text("first")
            assert os.read(call.descriptors[0], 4096).decode() == file
            assert not is_there(file)
        await becomes_true(lambda: is_there(file))

    with_engine(use)


def test_what_a_worker_leaves_is_reaped(with_engine: With) -> None:
    async def use(client: EngineClient[str]) -> None:
        answer = await client.call(LEAVE, Text(""))
        assert isinstance(answer, Text)
        await becomes_true(lambda: not is_there(f"/proc/{answer.text}"))

    with_engine(use)


def test_the_engine_ends_with_whoever_started_it() -> None:
    pid, control = engine.start("service", {})
    assert isinstance(control, socket.socket)
    control.close()
    assert os.waitpid(pid, 0)[1] == 0


def test_without_an_engine_every_call_is_answered() -> None:
    pid, control = engine.start("service", {})
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    async def main() -> None:
        client: EngineClient[str] = EngineClient(pid, control)
        answer = await client.call(ECHO, Text("anybody?"))
        assert answer is WORKER_DIED
        client.close()

    asyncio.run(main())
