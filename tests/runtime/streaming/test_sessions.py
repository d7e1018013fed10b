"""Sessions over descriptors: pipes and terminals of real processes."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import subprocess
from collections.abc import Coroutine

import pytest

from podward.runtime.streaming.sessions import CHUNK, DescriptorSession, Exit, Output, TerminalSession


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def ended() -> Exit:
    return Exit(7)


async def everything(session: DescriptorSession) -> dict[Output, bytes]:
    came = {Output.STDOUT: b"", Output.STDERR: b""}
    while (piece := await session.read()) is not None:
        came[piece[0]] += piece[1]
    return came


def start(command: list[str], *, stdin: int = -1, stdout: int, stderr: int = -1) -> subprocess.Popen[bytes]:
    given = [subprocess.DEVNULL if each < 0 else each for each in (stdin, stdout, stderr)]
    return subprocess.Popen(command, stdin=given[0], stdout=given[1], stderr=given[2])


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_output_ends_when_all_writers_have_closed_it_and_not_with_the_process() -> None:
    async def work() -> None:
        read, write = os.pipe()
        process = start(["sh", "-c", "(sleep 0.2; echo child) & echo parent"], stdout=write)
        os.close(write)
        session = DescriptorSession(ended, stdout=read)
        assert await session.read() == (Output.STDOUT, b"parent\n")
        assert process.wait() == 0
        assert await session.read() == (Output.STDOUT, b"child\n")
        assert await session.read() is None
        assert await session.wait() == Exit(7)
        session.close()

    run(work())


def test_neither_output_waits_for_the_other() -> None:
    async def work() -> None:
        out, err = os.pipe(), os.pipe()
        for _, write in (out, err):
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 2 * CHUNK)
            os.write(write, bytes(2 * CHUNK))
        session = DescriptorSession(ended, stdout=out[0], stderr=err[0])
        first = [await session.read() for _ in range(2)]
        assert {piece[0] for piece in first if piece is not None} == {Output.STDOUT, Output.STDERR}
        for _, write in (out, err):
            os.close(write)
        session.close()

    run(work())


def test_a_write_waits_for_its_reader_and_is_cancelled_without_a_trace() -> None:
    async def work() -> None:
        read, write = os.pipe()
        session = DescriptorSession(ended, stdin=write)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.write(bytes(1 << 20)), 0.05)
        assert len(os.read(read, 1 << 20)) == CHUNK
        await session.write(b"after")
        assert os.read(read, 100) == b"after"
        os.close(read)
        await session.write(b"nobody reads this")
        session.close()

    before = descriptors()
    run(work())
    assert descriptors() == before


def test_a_read_is_cancelled_without_a_trace() -> None:
    async def work() -> None:
        read, write = os.pipe()
        session = DescriptorSession(ended, stdout=read)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(session.read(), 0.05)
        os.write(write, b"later")
        assert await session.read() == (Output.STDOUT, b"later")
        os.close(write)
        session.close()

    before = descriptors()
    run(work())
    assert descriptors() == before


def test_a_terminal_that_is_hung_up_has_ended() -> None:
    async def work() -> None:
        ours, theirs = pty.openpty()
        process = start(["sh", "-c", "stty size"], stdin=theirs, stdout=theirs, stderr=theirs)
        session = TerminalSession(ended, ours)
        session.resize(0, 5)
        session.resize(1 << 16, 5)
        os.close(theirs)
        assert await everything(session) == {Output.STDOUT: b"0 0\r\n", Output.STDERR: b""}
        session.resize(80, 25)
        await session.write(b"nobody\n")
        session.close()
        process.wait()

    before = descriptors()
    run(work())
    assert descriptors() == before


def test_closing_hangs_a_terminal_up_and_signals_nobody_else() -> None:
    async def work() -> None:
        ours, theirs = pty.openpty()
        shell = ["setsid", "-c", "sh", "-c", "trap 'exit 5' HUP; echo ready; while :; do sleep 0.01; done"]
        process = start(shell, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        session = TerminalSession(ended, ours)
        assert await session.read() == (Output.STDOUT, b"ready\r\n")
        session.close_stdin()
        await asyncio.sleep(0.05)
        assert process.poll() is None
        session.close()
        assert await asyncio.to_thread(process.wait) == 5

    run(work())
