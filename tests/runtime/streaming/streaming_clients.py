"""What tests of streaming share: processes of this machine as containers, and clients of their own making."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import AttachRequest, ExecRequest
from podward.errors import RuntimeFailedError
from podward.runtime.streaming import spdy
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.streaming.sessions import DescriptorSession, Exit, Session, TerminalSession

PEERS: list[SpdyPeer] = []
"""The clients of the test that runs, which may leave without a word."""


class LocalProvider:
    """Runs commands on this machine, and connects to its ports; `attached` is who gives sessions to attach to."""

    def __init__(self, attached: Callable[[], Awaitable[Session]] | None = None) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.sessions: list[Session] = []
        self._attached = attached

    async def exec(self, request: ExecRequest) -> Session:
        """Run it, on a terminal or on pipes."""
        session = self._on_terminal(request) if request.tty else self._on_pipes(request)
        self.sessions.append(session)
        return session

    async def attach(self, request: AttachRequest) -> Session:
        assert self._attached is not None, request
        return await self._attached()

    async def connect(self, sandbox: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise RuntimeFailedError(f"{sandbox}: port {port}: {error.strerror}") from None

    def end(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()
            process.wait()

    def _on_pipes(self, request: ExecRequest) -> Session:
        given, kept = {}, {"stdin": -1, "stdout": -1, "stderr": -1}
        for name, wanted in (("stdin", request.stdin), ("stdout", request.stdout), ("stderr", request.stderr)):
            given[name] = subprocess.DEVNULL
            if wanted:
                ends = os.pipe()
                given[name], kept[name] = ends if name == "stdin" else ends[::-1]
        process = self._start(request, **given)
        return DescriptorSession(
            partial(_exit, process), stdin=kept["stdin"], stdout=kept["stdout"], stderr=kept["stderr"]
        )

    def _on_terminal(self, request: ExecRequest) -> Session:
        ours, theirs = pty.openpty()
        process = self._start(request, stdin=theirs, stdout=theirs, stderr=theirs)
        return TerminalSession(partial(_exit, process), ours)

    def _start(self, request: ExecRequest, *, stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                ["setsid", "-c", *request.cmd] if request.tty else request.cmd,
                stdin=stdin, stdout=stdout, stderr=stderr,
            )  # fmt: skip
        except OSError as error:
            raise RuntimeFailedError(f"cannot run {request.cmd[0]}: {error.strerror}") from None
        finally:
            for descriptor in {stdin, stdout, stderr} - {subprocess.DEVNULL}:
                os.close(descriptor)
        self.processes.append(process)
        return process


async def _exit(process: subprocess.Popen[bytes]) -> Exit:
    return Exit(await asyncio.get_running_loop().run_in_executor(None, process.wait))


@asynccontextmanager
async def served(provider: LocalProvider, patience: Patience | None = None) -> AsyncIterator[StreamingServer]:
    """A server of this provider; everything is ended with it."""
    server = StreamingServer(provider, patience=patience)
    await server.start()
    try:
        yield server
    finally:
        while PEERS:
            PEERS.pop().leave()
        await server.stop()
        provider.end()


def url_of(answer: str | CriRefusal) -> str:
    assert isinstance(answer, str), answer
    return answer


class SpdyPeer:
    """A SPDY client over plain sockets: opens streams, and keeps everything that comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.frames = spdy.Connection(client=True)
        self.events: list[spdy.Event] = []
        self._reader = reader
        self._writer = writer

    async def open(self, **headers: str) -> int:
        """Open a stream; underscores stand for nothing: `stream_type` is `streamtype`."""
        number, frame = self.frames.open({name.replace("_", ""): value for name, value in headers.items()})
        await self.send(frame)
        return number

    async def send(self, frame: bytes) -> None:
        self._writer.write(frame)
        await self._writer.drain()

    async def until(self, over: Callable[[], bool]) -> None:
        """Read until that is so."""
        while not over():
            data = await self._reader.read(65536)
            assert data, f"the server has gone after {self.events}"
            self._take(data)

    async def to_the_end(self) -> None:
        """Read until the server parts."""
        while data := await self._reader.read(65536):
            self._take(data)
        self.leave()

    def leave(self) -> None:
        """Leave without a word."""
        self._writer.close()

    def text(self, stream: int) -> bytes:
        """What came on a stream so far."""
        return b"".join(
            event.data for event in self.events if isinstance(event, spdy.DataReceived) and event.stream == stream
        )

    def _take(self, data: bytes) -> None:
        self.frames.receive(data)
        self.events.extend(iter(self.frames.next_event, None))


async def requested(url: str, headers: Mapping[str, str], method: str = "POST") -> tuple[str, SpdyPeer]:
    """The head of the answer to a request, and what follows it, taken for SPDY."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    lines = [f"{method} {where.path} HTTP/1.1", f"Host: {where.netloc}", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = await reader.readuntil(b"\r\n\r\n")
    peer = SpdyPeer(reader, writer)
    PEERS.append(peer)
    return head.decode(), peer


async def upgraded(url: str, *protocols: str) -> SpdyPeer:
    """A SPDY client of this URL."""
    headers = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": ",".join(protocols)}
    head, peer = await requested(url, headers)
    assert head.startswith("HTTP/1.1 101 "), head
    return peer
