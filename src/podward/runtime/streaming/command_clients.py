"""Clients of exec and attach: SPDY streams, or the channels of a WebSocket.

Specification (Kubernetes, `remotecommand`, in our words): over SPDY the client opens a stream each for what it asked
for, and for errors, each with the header `streamType`; with a terminal, and since version 3, also one for its sizes. In
a WebSocket the first byte of a message is its channel: stdin 0, stdout 1, stderr 2, error 3, sizes 4; in the base64
protocols it is a digit, and the rest is encoded. Since version 5, a message of 255 and a channel closes the channel:
before that, a WebSocket cannot tell the end of stdin. Since version 4 the error stream carries a Status; before that it
carries what went wrong, or nothing. Version 1's known faults (streams that are closed too early) are left out: it is
served as version 2.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from aiohttp import WSMsgType, web

from podward.runtime.streaming import handshake
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.remote_command import Asked, Ending, converse
from podward.runtime.streaming.sessions import Output, Session
from podward.runtime.streaming.spdy import Headers
from podward.runtime.streaming.spdy_streams import SpdyConnection, SpdyStream
from podward.runtime.streaming.wires import MAX_MESSAGE, Held, Inbox, Wire, close_socket, has_gone, stop, upgraded

SPDY_PROTOCOLS = ("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io")
WEBSOCKET_PROTOCOLS = (
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
    "",
)
_WITH_STATUS = ("v5.", "v4.")
_WITH_SIZES = ("v4.", "v3.")
_STDIN, _ERROR, _SIZES, _CLOSE = 0, 3, 4, 255
_OUTPUTS = {Output.STDOUT: "stdout", Output.STDERR: "stderr"}

Begin = Callable[[], Awaitable[Session]]


async def serve_command(
    request: web.BaseRequest, asked: Asked, begin: Begin, patience: Patience | None = None
) -> web.StreamResponse:
    """Serve an exec or attach: agree on a protocol, then connect the client with the session that `begin` makes."""
    patience = patience or Patience()
    if handshake.is_websocket(request):
        return await _serve_websocket(request, asked, begin, patience)
    return await _serve_spdy(request, asked, begin, patience)


async def _serve_spdy(request: web.BaseRequest, asked: Asked, begin: Begin, patience: Patience) -> web.StreamResponse:
    protocol = handshake.spdy_protocol(request, SPDY_PROTOCOLS)
    if isinstance(protocol, web.Response):
        return protocol
    async with handshake.while_active(patience.idle) as active, upgraded(request, protocol, active) as (answer, wire):
        client = SpdyClient(wire, asked, protocol)
        try:
            if await client.complete(patience.creation):
                await converse(client, asked, begin)
        finally:
            await client.close()
    return answer


class SpdyClient:
    """A client whose streams are SPDY's."""

    def __init__(self, wire: Wire, asked: Asked, protocol: str) -> None:
        self.stdin = Inbox()
        self.sizes = Inbox()
        self._protocol = protocol
        self._wanted = {"error"} | {name for output, name in _OUTPUTS.items() if asked.wants(output)}
        if asked.stdin:
            self._wanted.add("stdin")
        if asked.tty and protocol.startswith(_WITH_SIZES):
            self._wanted.add("resize")
        self._streams: dict[str, SpdyStream] = {}
        self._complete = asyncio.Event()
        self._connection = SpdyConnection(wire, _any_headers, self._opened)
        self.attending = asyncio.create_task(self._connection.attend())

    async def complete(self, seconds: float) -> bool:
        """Whether the client opens all that it asked for, in so many seconds."""
        completed = asyncio.create_task(self._complete.wait())
        try:
            await asyncio.wait((self.attending, completed), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            completed.cancel()
        return self._complete.is_set()

    async def write(self, output: Output, data: bytes) -> None:
        """Pass this output on, unless the client has reset its stream."""
        stream = self._streams[_OUTPUTS[output]]
        if stream.wanted:
            await stream.write(data)

    async def tell(self, ending: Ending) -> None:
        """The outputs have ended, and this is how it ended."""
        for name in _OUTPUTS.values():
            if name in self._streams:
                await self._streams[name].finish()
        said = _said(self._protocol, ending)
        if said:
            await self._streams["error"].write(said)
        await self._streams["error"].finish()

    async def close(self) -> None:
        """Part."""
        await stop(self.attending)
        await self._connection.close()

    def _opened(self, stream: SpdyStream) -> None:
        kind = stream.headers.get("streamtype", "")
        if kind in self._streams or kind not in self._wanted:
            stream.inbox.refuse()
            return
        self._streams[kind] = stream
        match kind:
            case "stdin":
                self.stdin = stream.inbox
            case "resize":
                self.sizes = stream.inbox
            case _:
                stream.inbox.refuse()
        if self._wanted <= self._streams.keys():
            self._complete.set()


async def _serve_websocket(
    request: web.BaseRequest, asked: Asked, begin: Begin, patience: Patience
) -> web.StreamResponse:
    protocol = handshake.websocket_protocol(request, WEBSOCKET_PROTOCOLS)
    if isinstance(protocol, web.Response):
        return protocol
    socket = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=MAX_MESSAGE)
    async with handshake.while_active(patience.idle) as active:
        await socket.prepare(request)
        client = WebSocketClient(socket, asked, protocol, partial(has_gone, request.transport), active)
        try:
            await client.greet()
            await converse(client, asked, begin)
        finally:
            await client.close()
    return socket


class WebSocketClient:
    """A client whose streams are the channels of a WebSocket."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        asked: Asked,
        protocol: str,
        gone: Callable[[], bool],
        active: Callable[[], None],
    ) -> None:
        held = Held(gone)
        self.stdin = Inbox(held)
        self.sizes = Inbox(held)
        self._socket = socket
        self._protocol = protocol
        self._base64 = "base64" in protocol
        self._active = active
        self._greeted = next((int(output) for output in _OUTPUTS if asked.wants(output)), _ERROR)
        if not asked.stdin:
            self.stdin.refuse()
        self.attending = asyncio.create_task(self._attend())

    async def greet(self) -> None:
        """Say with an empty message that the connection is there."""
        with suppress(ConnectionError):
            await self._send(self._greeted, b"")

    async def write(self, output: Output, data: bytes) -> None:
        """Pass this output on."""
        await self._send(output, data)

    async def tell(self, ending: Ending) -> None:
        """Tell how it ended; that the outputs have ended, the end of the WebSocket tells."""
        said = _said(self._protocol, ending)
        if said:
            await self._send(_ERROR, said)

    async def close(self) -> None:
        """Part."""
        await stop(self.attending)
        await close_socket(self._socket)

    async def _send(self, channel: int, data: bytes) -> None:
        if self._base64:
            await self._socket.send_str(f"{channel}{base64.b64encode(data).decode()}")
        else:
            await self._socket.send_bytes(bytes((channel,)) + data)
        self._active()

    async def _attend(self) -> None:
        channels = {_STDIN: self.stdin, _SIZES: self.sizes}
        try:
            while True:
                message = await self._socket.receive()
                self._active()
                if message.type not in (WSMsgType.BINARY, WSMsgType.TEXT):
                    return
                data = message.data.encode() if message.type is WSMsgType.TEXT else message.data
                if not data:
                    continue
                if data[0] == _CLOSE and self._protocol.startswith("v5."):
                    if len(data) != 2:
                        return
                    if data[1] in channels:
                        channels[data[1]].end()
                    continue
                inbox = channels.get(data[0] - ord("0") if self._base64 else data[0])
                if inbox is not None:
                    await inbox.put(self._decoded(data[1:]))
        finally:
            for inbox in channels.values():
                inbox.break_off()

    def _decoded(self, data: bytes) -> bytes:
        if not self._base64:
            return data
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            return b""


def _said(protocol: str, ending: Ending) -> bytes:
    return ending.encoded() if protocol.startswith(_WITH_STATUS) else ending.sentence()


def _any_headers(_headers: Headers) -> bool:
    return True
