"""How an asyncio process has verbs done: each call has a connection of its own, whose other end goes to the engine."""

from __future__ import annotations

import asyncio
import os
import socket
from types import TracebackType
from typing import Generic, Self, TypeVar

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.runtime.workers.calls import LARGEST, LENGTH, MOST_DESCRIPTORS, Verb, read_answer, request_frame

Service = TypeVar("Service")
Arguments = TypeVar("Arguments")
Result = TypeVar("Result")


WORKER_DIED = CriRefusal(CriCode.UNAVAILABLE, "the worker ended without an answer")
"""The answer, this very object, where a worker was killed: what it was at may be done in part."""


class Call(Generic[Result]):
    """A call that goes on. Leaving its context tells the worker that nobody waits any more."""

    def __init__(self, connection: socket.socket, result: type[Result]) -> None:
        self._connection = connection
        self._result = result
        self.descriptors: list[int] = []
        """Those that came with the last answer: whoever takes one away closes it; the others are closed in the end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Be done with the call."""
        self._connection.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors.clear()

    async def send(self, frame: bytes) -> None:
        """The request."""
        await asyncio.get_running_loop().sock_sendall(self._connection, frame)

    async def answer(self) -> Result | CriRefusal:
        """The worker's next answer."""
        try:
            header = await self._header()
            (length,) = LENGTH.unpack(header)
            content = await self._exactly(min(length, LARGEST))
        except (EOFError, ConnectionError):
            return WORKER_DIED
        return read_answer(content, self._result)

    async def _header(self) -> bytes:
        """A frame's length, with the descriptors that come along."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._connection, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._connection)
        first, descriptors, _, _ = socket.recv_fds(self._connection, 1, MOST_DESCRIPTORS)
        for descriptor in descriptors:  # CPython's recv_fds does not pass MSG_CMSG_CLOEXEC on
            os.set_inheritable(descriptor, False)
        self.descriptors += descriptors
        if not first:
            raise EOFError
        return first + await self._exactly(LENGTH.size - 1)

    async def _exactly(self, length: int) -> bytes:
        loop, content = asyncio.get_running_loop(), bytearray()
        while len(content) < length:
            part = await loop.sock_recv(self._connection, min(length - len(content), 1 << 20))
            if not part:
                raise EOFError
            content += part
        return bytes(content)


class EngineClient(Generic[Service]):
    """The engine, as the process that started it sees it: `engine.start` gave the socket."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self._control = control
        control.setblocking(False)

    async def call(self, verb: Verb[Service, Arguments, Result], arguments: Arguments) -> Result | CriRefusal:
        """Have a verb done; its first answer."""
        async with await self.open(verb, arguments) as call:
            return await call.answer()

    async def open(self, verb: Verb[Service, Arguments, Result], arguments: Arguments) -> Call[Result]:
        """Begin a verb that answers several times, or with descriptors."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setblocking(False)
        call = Call(ours, verb.result)
        try:
            with theirs:
                await self._pass_on(theirs)
            await call.send(request_frame(verb.name, arguments))
        except ConnectionError:
            return call  # the engine is gone, or the worker: its answer is that there is none
        except BaseException:
            call.close()
            raise
        return call

    async def _pass_on(self, connection: socket.socket) -> None:
        """Give a connection to the engine, waiting where it has not taken those before."""
        while True:
            try:
                socket.send_fds(self._control, [b"c"], [connection.fileno()])
            except BlockingIOError:
                await asyncio.sleep(0.005)
            else:
                return

    def close(self) -> None:
        """Let the engine end."""
        self._control.close()
