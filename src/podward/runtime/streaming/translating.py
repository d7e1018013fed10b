"""What newer clients speak over WebSockets, spoken for them with a server that knows only SPDY.

Specification (Kubernetes, k8s.io/streaming-translator in kube-apiserver and the kubelet, in our words): exec and attach
of a client that names v5.channel.k8s.io become streams of SPDY's v4; the tunnel SPDY/3.1+portforward.k8s.io has its
bytes passed on as they are. Everything else is passed on as it comes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from aiohttp import web
from msgspec import structs

from podward.errors import RuntimeFailedError
from podward.runtime.streaming import handshake, port_forward, tunnel
from podward.runtime.streaming.command_clients import serve_command
from podward.runtime.streaming.handshake import PROTOCOL_VERSION, Patience
from podward.runtime.streaming.remote_command import Asked
from podward.runtime.streaming.spdy_session import HEADERS, SpdySession, connected
from podward.runtime.streaming.wires import MAX_MESSAGE, TunnelWire, UpgradedWire, Wire, close_socket

_V4, _V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"


def is_newer(protocols: str) -> bool:
    """Whether a client that names these protocols for a WebSocket speaks what must be translated."""
    named = {each.strip() for each in protocols.split(",")}
    return bool(named & {_V5, port_forward.TUNNEL})


async def command(request: web.BaseRequest, asked: Asked, target: tunnel.Asked) -> web.StreamResponse:
    """Serve an exec or attach that `target` carries out."""
    return await serve_command(request, asked, partial(_begun, asked, target))


async def _begun(asked: Asked, target: tunnel.Asked) -> SpdySession:
    session = SpdySession(await connected(_over_spdy(target, _V4)), asked)
    try:
        await session.begin()
    except ConnectionError as error:
        session.close()
        raise RuntimeFailedError(f"the connection was broken off: {error}") from None
    return session


async def ports(request: web.BaseRequest, target: tunnel.Asked) -> web.StreamResponse:
    """Serve a port-forward that `target` carries out."""
    protocol = handshake.websocket_protocol(request, (port_forward.TUNNEL,))
    if isinstance(protocol, web.Response):
        return protocol
    try:
        wire = await connected(_over_spdy(target, port_forward.PROTOCOL))
    except RuntimeFailedError as error:
        return handshake.refusal(500, str(error))
    try:
        socket = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=MAX_MESSAGE)
        async with handshake.while_active(Patience().idle) as active:
            await socket.prepare(request)
            await _both_ways(TunnelWire(socket, request.transport, active), wire)
            await close_socket(socket)
        return socket
    finally:
        wire.close()


async def _both_ways(client: Wire, server: UpgradedWire) -> None:
    ways = (asyncio.create_task(_pass(client, server)), asyncio.create_task(_pass(server, client)))
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass(source: Wire, sink: Wire) -> None:
    with suppress(ConnectionError):
        while data := await source.read():
            await sink.write(data)


def _over_spdy(target: tunnel.Asked, protocol: str) -> tunnel.Asked:
    return structs.replace(target, method="POST", headers=[*target.headers, *HEADERS, (PROTOCOL_VERSION, protocol)])
