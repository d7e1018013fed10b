"""What carries SPDY: a connection that HTTP has given up, or the binary messages of a WebSocket."""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from aiohttp import WSMsgType, web

from podward.runtime.streaming.handshake import PROTOCOL_VERSION, SPDY
from podward.runtime.streaming.sessions import CHUNK

SECONDS_TO_PART = 5.0
"""How long a client may take to read what was sent to it at the end."""
SECONDS_TO_LOOK = 5.0
"""How often it is looked whether a client is there still of whom nothing is read."""
MOST_HELD = 4 << 20
"""What came from a client and was not taken, in bytes."""
MAX_MESSAGE = 16 << 20
"""The largest message of a WebSocket: clients send a SPDY frame, or all that they have for stdin, as one."""


class Wire(Protocol):
    """Bytes both ways. What is written is taken by the client, or few of it wait."""

    async def read(self) -> bytes:
        """The next bytes; none once the client has gone, or has said that it sends no more."""

    async def write(self, data: bytes) -> None:
        """Send all of this. Raises ConnectionError where the client has gone."""

    def gone(self) -> bool:
        """Whether the client has closed the connection, also where what it sent before was not read."""

    async def part(self) -> None:
        """Nothing more is sent: let the client read what was, for a moment."""


class UpgradedWire:
    """The connection of a request, after 101."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, active: Callable[[], None]) -> None:
        self._reader = reader
        self._writer = writer
        self._active = active

    async def read(self) -> bytes:
        """The next bytes; none at the end."""
        try:
            data = await self._reader.read(CHUNK)
        except ConnectionError:
            return b""
        self._active()
        return data

    async def write(self, data: bytes) -> None:
        """Send all of this. Raises ConnectionError where the client has gone."""
        self._writer.write(data)
        await self._writer.drain()
        self._active()

    def gone(self) -> bool:
        """Whether the client has closed the connection."""
        return has_gone(self._writer.transport)

    def close(self) -> None:
        """Give the connection up."""
        self._writer.transport.abort()

    async def part(self) -> None:
        """Say that nothing more comes, and read until the client goes: what it has not read is lost if we go first."""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(SECONDS_TO_PART):
                if not self._writer.can_write_eof():  # TLS has no half ends: its end is sent behind the rest
                    self._writer.close()
                    await self._writer.wait_closed()
                    return
                if not self._writer.is_closing():
                    self._writer.write_eof()
                while await self._reader.read(CHUNK):
                    pass


class _TakenOver(asyncio.StreamReaderProtocol):
    """A connection's protocol in the place of aiohttp's, which still must hear of the connection's end."""

    def __init__(self, reader: asyncio.StreamReader, before: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._before.connection_lost(exc)


@asynccontextmanager
async def upgraded(
    request: web.BaseRequest, protocol: str, active: Callable[[], None]
) -> AsyncIterator[tuple[web.StreamResponse, UpgradedWire]]:
    """Answer that this protocol is spoken, and take the connection over until this ends.

    Raises ConnectionError where the client has gone.
    """
    headers = {"Connection": "Upgrade", "Upgrade": SPDY, PROTOCOL_VERSION: protocol}
    async with taken_over(request, web.StreamResponse(status=101, headers=headers), active) as wire:
        yield wire


@asynccontextmanager
async def taken_over(
    request: web.BaseRequest, answer: web.StreamResponse, active: Callable[[], None]
) -> AsyncIterator[tuple[web.StreamResponse, UpgradedWire]]:
    """Give an answer that changes the protocol, and take the connection over until this ends.

    Raises ConnectionError where the client has gone.
    """
    await answer.prepare(request)
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    reader = asyncio.StreamReader(limit=CHUNK)
    taken = _TakenOver(reader, transport.get_protocol())
    transport.set_protocol(taken)
    taken.connection_made(transport)
    transport.resume_reading()
    writer = asyncio.StreamWriter(transport, taken, reader, asyncio.get_running_loop())
    try:
        yield answer, UpgradedWire(reader, writer, active)
    finally:
        with suppress(AttributeError):  # TLS that was closed twice has forgotten what there is to abort
            transport.abort()


class TunnelWire:
    """A WebSocket whose binary messages are bytes of one stream."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.BaseTransport | None, active: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._active = active

    async def read(self) -> bytes:
        """The next bytes; none at the end."""
        while True:
            message = await self._socket.receive()
            self._active()
            if message.type is not WSMsgType.BINARY:
                return b""
            if message.data:
                data: bytes = message.data
                return data

    async def write(self, data: bytes) -> None:
        """Send all of this as one message. Raises ConnectionError where the client has gone."""
        await self._socket.send_bytes(data)
        self._active()

    def gone(self) -> bool:
        """Whether the client has closed the connection."""
        return has_gone(self._transport)

    async def part(self) -> None:
        """Close it normally, if the client takes part in that."""
        await close_socket(self._socket)


async def close_socket(socket: web.WebSocketResponse) -> None:
    """Close a WebSocket normally; a client that takes no part in that is left."""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(SECONDS_TO_PART):
            await socket.close()


class Held:
    """What all streams of one connection hold; beyond MOST_HELD bytes nothing more is read from it.

    Who reads nothing does not hear either that the client has gone: so `gone` is asked now and then.
    """

    def __init__(self, gone: Callable[[], bool] = lambda: False) -> None:
        self._gone = gone
        self._size = 0
        self._room = asyncio.Event()
        self._room.set()

    def add(self, size: int) -> None:
        """So much more is held; less, where it is negative."""
        self._size += size
        if self._size > MOST_HELD:
            self._room.clear()
        else:
            self._room.set()

    async def room(self) -> None:
        """Return once there is room. Raises ConnectionError where the client has gone meanwhile."""
        while not self._room.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), SECONDS_TO_LOOK)
            if not self._room.is_set() and self._gone():
                raise ConnectionResetError("the client has gone")


def has_gone(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the other side has closed its connection, also where what it sent before was not read."""
    connection = transport.get_extra_info("socket") if transport is not None and not transport.is_closing() else None
    if connection is None:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLRDHUP)
    return bool(poll.poll(0))


class Inbox:
    """What came on a stream and was not taken yet."""

    def __init__(self, held: Held | None = None) -> None:
        self._held = held or Held()
        self._pieces: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._ended = self._broken = False

    async def put(self, data: bytes) -> None:
        """Take what came, and wait until there is room for more."""
        if data and not self._ended:
            self._pieces.append(data)
            self._held.add(len(data))
            self._filled.set()
            await self._held.room()

    async def get(self) -> bytes:
        """The next piece; nothing at the end. Raises ConnectionError where it was broken off."""
        while not self._pieces:
            if self._broken:
                raise ConnectionResetError("the stream was reset")
            if self._ended:
                return b""
            self._filled.clear()
            await self._filled.wait()
        piece = self._pieces.popleft()
        self._held.add(-len(piece))
        return piece

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._filled.set()

    def break_off(self) -> None:
        """Nothing more comes, and what waits counts no more; unless the end has come already."""
        if not self._ended:
            self._broken = True
            self.refuse()

    def refuse(self) -> None:
        """Nobody takes anything any more: what comes is thrown away."""
        self._held.add(-sum(map(len, self._pieces)))
        self._pieces.clear()
        self.end()


async def stop(task: asyncio.Task[None]) -> None:
    """End a task, and raise what it failed with, if that was not its client's going."""
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, Exception) and not isinstance(result, ConnectionError):
        raise result
