"""Port-forward: connections of a client, each to a port of a Pod, over one connection of SPDY or WebSocket.

Specification (Kubernetes, k8s.io/cri-streaming `portforward`, in our words): over SPDY, plain or within a WebSocket,
each forwarded connection has two streams of one `requestID`, of the `streamType`s data and error, with the same
`port`; they are paired as they come, in half a minute. Clients without request ids are paired by the numbers of their
streams. In a WebSocket of channels the ports were asked for before: the n-th has channel 2n for data and 2n+1 for
errors, and both begin with the port, in two bytes, the small one first. What fails is told on the error stream, which
carries nothing else.

A side that ends its half of a forwarded connection ends that of the other side's; a reset breaks the whole off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol

from aiohttp import WSMsgType, web

from podward.errors import PodwardError
from podward.runtime.streaming import handshake, wires
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.sessions import CHUNK
from podward.runtime.streaming.spdy import Headers
from podward.runtime.streaming.spdy_streams import SpdyConnection, SpdyStream
from podward.runtime.streaming.wires import MAX_MESSAGE, Held, Inbox, TunnelWire, Wire, close_socket, has_gone, upgraded

PROTOCOL = "portforward.k8s.io"
TUNNEL = f"{handshake.SPDY}+{PROTOCOL}"
CHANNELS = "v4.channel.k8s.io"
MAX_CHANNEL_PORTS = 128
"""A channel is a byte, and each port has two."""

Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Connects to a port of the Pod. Raises PodwardError or OSError."""


class Stream(Protocol):
    """The client's side of a forwarded connection."""

    async def read(self) -> bytes:
        """The next bytes; none at the end. Raises ConnectionError where it was broken off."""

    async def write(self, data: bytes) -> None:
        """Pass this on. Raises ConnectionError where the client takes no more."""

    async def finish(self) -> None:
        """The Pod's side has ended."""


async def serve_port_forward(
    request: web.BaseRequest, name: str, ports: Sequence[int], connect: Connect, patience: Patience | None = None
) -> web.StreamResponse:
    """Serve a port-forward to the Pod that `name` tells of; `ports` are those of a WebSocket of channels."""
    patience = patience or Patience()
    if not handshake.is_websocket(request):
        return await _serve_spdy(request, name, connect, patience)
    protocol = handshake.websocket_protocol(request, (TUNNEL, CHANNELS, ""))
    if isinstance(protocol, web.Response):
        return protocol
    socket = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=MAX_MESSAGE)
    async with handshake.while_active(patience.idle) as active:
        await socket.prepare(request)
        if protocol == TUNNEL:
            await _forward_streams(TunnelWire(socket, request.transport, active), name, connect, patience)
        else:
            await _Channels(socket, name, partial(has_gone, request.transport), active).forward(
                ports[:MAX_CHANNEL_PORTS], connect
            )
    return socket


async def _serve_spdy(request: web.BaseRequest, name: str, connect: Connect, patience: Patience) -> web.StreamResponse:
    protocol = handshake.spdy_protocol(request, (PROTOCOL,))
    if isinstance(protocol, web.Response):
        return protocol
    async with handshake.while_active(patience.idle) as active, upgraded(request, protocol, active) as (answer, wire):
        await _forward_streams(wire, name, connect, patience)
    return answer


async def _forward_streams(wire: Wire, name: str, connect: Connect, patience: Patience) -> None:
    pairs = _Pairs(wire, name, connect, patience)
    try:
        await pairs.connection.attend()
    finally:
        await pairs.end()


class _Pairs:
    """The streams of a SPDY connection, and what is forwarded for each pair of them."""

    def __init__(self, wire: Wire, name: str, connect: Connect, patience: Patience) -> None:
        self.connection = SpdyConnection(wire, _is_forwarded, self._opened)
        self._name = name
        self._connect = connect
        self._patience = patience
        self._halves: dict[str, tuple[dict[str, SpdyStream], asyncio.TimerHandle]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def end(self) -> None:
        """Break off what is forwarded still, and part."""
        for _, timer in self._halves.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:  # one that tells of its end waits for the client, which may read nothing
            await asyncio.wait(self._tasks, timeout=wires.SECONDS_TO_PART)
        await self.connection.close()

    def _opened(self, stream: SpdyStream) -> None:
        kind, request = stream.headers["streamtype"], _request_id(stream)
        if kind == "error":
            stream.inbox.refuse()
        if request not in self._halves:
            timer = asyncio.get_running_loop().call_later(self._patience.creation, self._too_late, request)
            self._halves[request] = ({}, timer)
        streams, timer = self._halves[request]
        if kind in streams:
            stream.inbox.refuse()
            message = f"error processing stream for request {request}: {kind} stream already assigned"
            self._start(_tell(streams.get("error"), message))
            return
        streams[kind] = stream
        if len(streams) == 2:
            timer.cancel()
            del self._halves[request]
            self._start(self._forward(streams["data"], streams["error"]))

    def _too_late(self, request: str) -> None:
        streams, _ = self._halves.pop(request)
        self._start(_give_up(streams, f"(request={request}) timed out waiting for streams"))

    def _start(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _forward(self, data: SpdyStream, error: SpdyStream) -> None:
        port = int(data.headers["port"])
        try:
            reader, writer = await self._connect(port)
        except (PodwardError, OSError) as failure:
            await _give_up({"data": data, "error": error}, _failure(port, self._name, failure))
            return
        try:
            await relay(data, reader, writer, error.finish)
        except ConnectionError:
            await data.reset()
        finally:
            await error.finish()


class _Channels:
    """The channels of a WebSocket, two for each port."""

    def __init__(
        self, socket: web.WebSocketResponse, name: str, gone: Callable[[], bool], active: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._gone = gone
        self._name = name
        self._active = active
        self._inboxes: dict[int, Inbox] = {}

    async def forward(self, ports: Sequence[int], connect: Connect) -> None:
        """Forward one connection to each port, until all have ended, or the client has."""
        held = Held(self._gone)
        channels = [_Channel(self, 2 * number, held) for number in range(len(ports))]
        self._inboxes = {channel.number: channel.inbox for channel in channels}
        attending = asyncio.create_task(self._attend())
        work = [
            asyncio.create_task(self._forward(channel, port, connect))
            for channel, port in zip(channels, ports, strict=True)
        ]
        try:
            all_done = asyncio.gather(*work, return_exceptions=True)
            await asyncio.wait((attending, all_done), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (attending, *work):
                task.cancel()
            await asyncio.gather(attending, *work, return_exceptions=True)
            await close_socket(self._socket)

    async def send(self, channel: int, data: bytes) -> None:
        """Send this on a channel."""
        await self._socket.send_bytes(bytes((channel,)) + data)
        self._active()

    async def _forward(self, channel: _Channel, port: int, connect: Connect) -> None:
        with suppress(ConnectionError):
            for number in (channel.number, channel.number + 1):
                await self.send(number, port.to_bytes(2, "little"))
            try:
                reader, writer = await connect(port)
            except (PodwardError, OSError) as failure:
                await self.send(channel.number + 1, _failure(port, self._name, failure).encode())
                return
            await relay(channel, reader, writer, channel.finish)

    async def _attend(self) -> None:
        try:
            while True:
                message = await self._socket.receive()
                self._active()
                if message.type is not WSMsgType.BINARY:
                    return
                inbox = self._inboxes.get(message.data[0]) if message.data else None
                if inbox is not None:
                    await inbox.put(message.data[1:])
        finally:
            for inbox in self._inboxes.values():
                inbox.break_off()


class _Channel:
    """One port's data channel; its halves have no ends of their own."""

    def __init__(self, channels: _Channels, number: int, held: Held) -> None:
        self._channels = channels
        self.number = number
        self.inbox = Inbox(held)

    async def read(self) -> bytes:
        """The next bytes."""
        return await self.inbox.get()

    async def write(self, data: bytes) -> None:
        """Pass this on."""
        await self._channels.send(self.number, data)

    async def finish(self) -> None:
        """The Pod's side has ended: so has the channel."""
        self.inbox.end()


async def relay(
    stream: Stream,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    ended: Callable[[], Awaitable[None]],
) -> None:
    """Pass bytes both ways until both have ended; `ended` is called when the Pod's side has.

    Raises ConnectionError where one side breaks off.
    """

    async def to_pod() -> None:
        while data := await stream.read():
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def from_pod() -> None:
        while data := await reader.read(CHUNK):
            await stream.write(data)
        await stream.finish()
        await ended()  # clients wait for this before they end their own half

    ways = [asyncio.create_task(to_pod()), asyncio.create_task(from_pod())]
    try:
        await asyncio.gather(*ways)
    finally:
        writer.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


def _is_forwarded(headers: Headers) -> bool:
    port = headers.get("port", "")
    return (
        headers.get("streamtype") in ("data", "error")
        and port.isdecimal()
        and len(port) <= 5
        and 0 < int(port) < 1 << 16
    )


def _request_id(stream: SpdyStream) -> str:
    """What pairs streams. Clients without request ids open the error stream, and the data stream right after it."""
    given = stream.headers.get("requestid", "")
    return given or str(stream.number - (2 if stream.headers["streamtype"] == "data" else 0))


def _failure(port: int, name: str, failure: Exception) -> str:
    return f"error forwarding port {port} to pod {name}: {failure}"


async def _tell(error: SpdyStream | None, message: str) -> None:
    if error is not None:
        with suppress(ConnectionError):
            await error.write(message.encode())


async def _give_up(streams: dict[str, SpdyStream], message: str) -> None:
    await _tell(streams.get("error"), message)
    for stream in streams.values():
        await stream.reset()
