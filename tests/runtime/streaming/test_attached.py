"""Attaching through a real conmon. Its OCI runtime is a page of Python that starts a shell, in no container."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from podward.errors import RuntimeFailedError
from podward.runtime.streaming.attached import AttachedSession, attach
from podward.runtime.streaming.sessions import Exit, Output

pytestmark = pytest.mark.needs("conmon")

RUNTIME = """#!{python}
import os, pty, socket, sys
arguments = sys.argv[sys.argv.index("create"):]
def option(name):
    return arguments[arguments.index(name) + 1] if name in arguments else ""
master, ours = pty.openpty() if option("--console-socket") else (-1, -1)
pid = os.fork()
if not pid:
    os.setsid()
    if ours >= 0:
        os.login_tty(ours) if hasattr(os, "login_tty") else [os.dup2(ours, each) for each in (0, 1, 2)]
    os.execv("/bin/sh", ["sh", option("--bundle") + "/script"])
if master >= 0:
    console = socket.socket(socket.AF_UNIX)
    console.connect(option("--console-socket"))
    socket.send_fds(console, [b"x"], [master])
with open(option("--pid-file"), "w") as file:
    file.write(str(pid))
"""


class Monitored(Protocol):
    def __call__(self, script: str, *options: str) -> str: ...


@pytest.fixture
def monitored(tmp_path: Path) -> Iterator[Monitored]:
    """Start a script under a conmon with these options; gives the bundle, whose path is longer than an address."""
    bundle = tmp_path / "b" / ("long" * 30)
    bundle.mkdir(parents=True)

    def start(script: str, *options: str) -> str:
        (bundle / "script").write_text(script)
        runtime = tmp_path / "runtime"
        runtime.write_text(RUNTIME.format(python=sys.executable))
        runtime.chmod(0o700)
        subprocess.run(
            ["conmon", "--api-version", "1", "-c", "id", "-u", "id", "-n", "id", "-r", runtime, "-b", bundle,
             "-p", bundle / "pid", "-P", bundle / "conmon.pid", "--exit-dir", bundle, "--full-attach",
             "-l", f"k8s-file:{bundle}/log", *options],
            check=True, env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        return str(bundle)

    yield start
    for name in ("pid", "conmon.pid"):
        try:
            os.kill(int((bundle / name).read_text()), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def printed(session: AttachedSession, text: bytes = b"\0") -> dict[Output, bytes]:
    """What it prints until `text` was among it, or to the end."""
    came = {Output.STDOUT: b"", Output.STDERR: b""}
    while text not in came[Output.STDOUT] and (piece := await session.read()) is not None:
        came[piece[0]] += piece[1]
    return came


async def attached(bundle: str, *, stdin_once: bool = False, tty: bool = False) -> AttachedSession:
    while not os.access(f"{bundle}/ctl", os.W_OK):  # noqa: ASYNC110 - conmon does not say when it is ready
        await asyncio.sleep(0.01)
    return await attach(bundle, stdin_once=stdin_once, tty=tty)


def test_outputs_are_told_apart_and_the_end_of_input_is_the_containers(monitored: Monitored) -> None:
    bundle = monitored("read word; echo out $word; echo err >&2; cat; echo over; exit 3", "-i")

    async def work() -> None:
        session = await attached(bundle, stdin_once=True)
        await session.write(b"word\nrest")
        assert (await printed(session, b"rest"))[Output.STDOUT] == b"out word\nrest"
        session.close_stdin()
        assert (await printed(session))[Output.STDOUT] == b"over\n"
        assert await session.wait() == Exit()
        session.close()
        while not os.access(f"{bundle}/id", os.R_OK):  # noqa: ASYNC110 - the exit file comes after the end of the socket
            await asyncio.sleep(0.01)

    run(work())
    assert Path(bundle, "id").read_text() == "3"


def test_stderr_is_stderr(monitored: Monitored) -> None:
    bundle = monitored("read word; echo err >&2", "-i")

    async def work() -> None:
        session = await attached(bundle, stdin_once=True)
        await session.write(b"\n")
        assert (await printed(session))[Output.STDERR] == b"err\n"
        session.close()

    run(work())


def test_without_stdin_once_the_end_of_input_ends_the_session_and_the_next_goes_on(monitored: Monitored) -> None:
    bundle = monitored("while read word; do echo got $word; done", "-i", "--leave-stdin-open")

    async def work() -> None:
        for word in (b"one", b"two"):
            session = await attached(bundle)
            await session.write(word + b"\n")
            await printed(session, b"got " + word)
            session.close_stdin()
            assert await session.read() is None
            session.close()

    run(work())
    os.kill(int(Path(bundle, "pid").read_text()), 0)


def test_megabytes_go_in_and_come_out(monitored: Monitored) -> None:
    bundle = monitored("exec cat", "-i")
    content = os.urandom(1 << 20)

    async def work() -> None:
        session = await attached(bundle, stdin_once=True)
        writing = asyncio.create_task(session.write(content))
        came = b""
        while len(came) < len(content):
            piece = await session.read()
            assert piece is not None
            came += piece[1]
        await writing
        assert came == content
        session.close()

    run(work())


def test_a_terminal_is_resized(monitored: Monitored) -> None:
    bundle = monitored("while read word; do stty size; done", "-i", "-t", "--leave-stdin-open")

    async def work() -> None:
        session = await attached(bundle, stdin_once=True, tty=True)
        for columns, rows in ((0, 0), (1 << 40, 5), (-1, 5), (132, 50)):
            session.resize(columns, rows)
        came = b""
        while b"50 132" not in came:  # it comes to the terminal by another way than what is typed
            await session.write(b"\n")
            piece = await session.read()
            assert piece is not None
            came += piece[1]
        session.close_stdin()  # a terminal's input has no end: the session has
        await printed(session)
        session.close()

    run(work())


@pytest.mark.parametrize("there", [True, False])
def test_a_container_without_a_monitor_is_not_running(tmp_path: Path, there: bool) -> None:  # noqa: FBT001 - a case
    before = os.listdir("/proc/self/fd")

    async def work() -> None:
        with pytest.raises(RuntimeFailedError, match="is not running"):
            await attach(str(tmp_path if there else tmp_path / "none"), stdin_once=False, tty=False)

    run(work())
    assert os.listdir("/proc/self/fd") == before


def test_a_session_gives_up_its_descriptors(monitored: Monitored) -> None:
    bundle = monitored("exec sleep 100", "-i", "-t")
    before = len(os.listdir("/proc/self/fd"))

    async def work() -> None:
        session = await attached(bundle, tty=True)
        session.resize(80, 24)
        session.close()

    run(work())
    assert len(os.listdir("/proc/self/fd")) == before
