"""What carries SPDY: a connection that HTTP has given up, or the binary messages of a WebSocket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from aiohttp import WSMsgType, web

from podward.runtime.streaming.sessions import CHUNK

SECONDS_TO_PART = 5.0
"""How long a client may take to read what was sent to it at the end."""
MAX_MESSAGE = 16 << 20
"""The largest message of a WebSocket: clients send a SPDY frame, or all that they have for stdin, as one."""


class Wire(Protocol):
    """Bytes both ways. What is written is taken by the client, or few of it wait."""

    async def read(self) -> bytes:
        """The next bytes; none once the client has gone, or has said that it sends no more."""

    async def write(self, data: bytes) -> None:
        """Send all of this. Raises ConnectionError where the client has gone."""

    async def close(self) -> None:
        """Let the client read what was sent, then close."""


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

    async def close(self) -> None:
        """Say that nothing more comes, and read until the client goes: what it has not read is lost if we go first."""
        try:
            async with asyncio.timeout(SECONDS_TO_PART):
                if not self._writer.is_closing():
                    self._writer.write_eof()
                while await self._reader.read(CHUNK):
                    pass
        except (OSError, TimeoutError):
            pass
        finally:
            self._writer.transport.abort()


class _TakenOver(asyncio.StreamReaderProtocol):
    """A connection's protocol in the place of aiohttp's, which still must hear of the connection's end."""

    def __init__(self, reader: asyncio.StreamReader, before: asyncio.BaseProtocol) -> None:
        super().__init__(reader)
        self._before = before

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._before.connection_lost(exc)


async def upgrade(
    request: web.Request, headers: Mapping[str, str], active: Callable[[], None]
) -> tuple[web.StreamResponse, UpgradedWire]:
    """Answer 101, and take the connection over. Raises ConnectionError where the client has gone."""
    answer = web.StreamResponse(status=101, headers=headers)
    await answer.prepare(request)
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    reader = asyncio.StreamReader(limit=CHUNK)
    protocol = _TakenOver(reader, transport.get_protocol())
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    transport.resume_reading()
    writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
    return answer, UpgradedWire(reader, writer, active)


class TunnelWire:
    """A WebSocket whose binary messages are bytes of one stream."""

    def __init__(self, socket: web.WebSocketResponse, active: Callable[[], None]) -> None:
        self._socket = socket
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

    async def close(self) -> None:
        """Close it normally, if the client takes part in that."""
        await close_socket(self._socket)


async def close_socket(socket: web.WebSocketResponse) -> None:
    """Close a WebSocket normally; a client that takes no part in that is left."""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(SECONDS_TO_PART):
            await socket.close()


class Inbox:
    """What came and was not taken yet. `put` waits while that is more than `limit` bytes."""

    def __init__(self, limit: int = 4 * CHUNK) -> None:
        self._limit = limit
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = self._broken = self._unwanted = False

    async def put(self, data: bytes) -> None:
        """Take what came."""
        if not data or self._unwanted or self._ended:
            return
        self._pieces.append(data)
        self._size += len(data)
        self._filled.set()
        if self._size > self._limit:
            self._room.clear()
        await self._room.wait()

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
        self._size -= len(piece)
        if self._size <= self._limit:
            self._room.set()
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
        self._unwanted = self._ended = True
        self._pieces.clear()
        self._size = 0
        self._filled.set()
        self._room.set()
