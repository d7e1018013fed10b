"""An answer piece by piece as messages of a WebSocket: for browsers that read logs.

Specification: Kubernetes, k8s.io/streaming, wsstream Reader: an empty message says that it begins; pieces are binary,
or base64 in text, as the client's protocol wants; what the client sends is not looked at.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import suppress

from aiohttp import WSMsgType, web

from podward.runtime.streaming import handshake
from podward.runtime.streaming.wires import close_socket

_BINARY, _BASE64 = "binary.k8s.io", "base64.binary.k8s.io"
_LONGEST = 64 << 10


async def told(raw: web.BaseRequest, pieces: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    """Tell all pieces, until there is no more, or the client goes."""
    try:
        protocol = handshake.websocket_protocol(raw, ("", _BINARY, _BASE64))
        if isinstance(protocol, web.Response):
            return protocol
        socket = web.WebSocketResponse(protocols=(protocol,), compress=False, max_msg_size=_LONGEST)
        await socket.prepare(raw)
        telling = asyncio.create_task(_tell(socket, pieces, protocol))
        leaving = asyncio.create_task(_left(socket))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
        await close_socket(socket)
        return socket
    finally:
        await pieces.aclose()


async def _tell(socket: web.WebSocketResponse, pieces: AsyncGenerator[bytes, None], protocol: str) -> None:
    with suppress(ConnectionError):
        await _send(socket, b"", protocol)
        async for piece in pieces:
            await _send(socket, piece, protocol)


async def _send(socket: web.WebSocketResponse, piece: bytes, protocol: str) -> None:
    if protocol == _BASE64:
        await socket.send_str(base64.b64encode(piece).decode())
    else:
        await socket.send_bytes(piece)


async def _left(socket: web.WebSocketResponse) -> None:
    while (await socket.receive()).type in (WSMsgType.BINARY, WSMsgType.TEXT):
        pass
