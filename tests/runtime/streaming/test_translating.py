"""What newer clients speak over WebSockets, with a server that is spoken with over SPDY."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from streaming_clients import LocalProvider

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import ExecRequest, PortForwardRequest
from podward.runtime.streaming import translating, tunnel
from podward.runtime.streaming.remote_command import Asked
from podward.runtime.streaming.server import StreamingServer

_V5, _TUNNEL = "v5.channel.k8s.io", "SPDY/3.1+portforward.k8s.io"


def target(url: object) -> tunnel.Asked:
    assert not isinstance(url, CriRefusal)
    where = urlsplit(str(url))
    return tunnel.Asked(where.hostname or "", where.port or 0, "GET", where.path, [])


@asynccontextmanager
async def translated(
    serve: Callable[[web.Request, StreamingServer], Awaitable[web.StreamResponse]], protocol: str
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A WebSocket to somebody who translates for a streaming server."""
    provider = LocalProvider()
    streams = StreamingServer(provider)
    await streams.start()
    application = web.Application()

    async def handle(request: web.Request) -> web.StreamResponse:
        return await serve(request, streams)

    application.router.add_get("/", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/", protocols=[protocol], autoclose=False) as socket,
        ):
            yield socket
    finally:
        await runner.cleanup()
        await streams.stop()
        provider.end()


async def _exec(request: web.Request, streams: StreamingServer, *command: str, tty: bool = False) -> web.StreamResponse:
    asked = Asked(stdin=True, stdout=True, stderr=not tty, tty=tty, command=command)
    url = streams.exec_url(ExecRequest("c", command, tty, True, True, not tty))
    return await translating.command(request, asked, target(url))


async def _said(socket: aiohttp.ClientWebSocketResponse) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while (message := await socket.receive()).type is aiohttp.WSMsgType.BINARY:
        found[message.data[0]] = found.get(message.data[0], b"") + message.data[1:]
    await socket.close()
    return found


def test_a_command_has_its_streams_and_tells_its_end() -> None:
    async def talk() -> None:
        async def serve(request: web.Request, streams: StreamingServer) -> web.StreamResponse:
            return await _exec(request, streams, "sh", "-c", "cat; echo err >&2; exit 3")

        async with translated(serve, _V5) as socket:
            for _ in range(10):
                await socket.send_bytes(b"\0" + b"x" * 100000)
            await socket.send_bytes(b"\xff\0")  # nothing more is to be read
            said = await _said(socket)
        assert said[1] == b"x" * 1000000
        assert said[2] == b"err\n"
        ending = json.loads(said[3])
        assert (ending["reason"], ending["details"]["causes"][0]["message"]) == ("NonZeroExitCode", "3")

    asyncio.run(talk())


def test_a_terminal_has_the_size_that_the_client_says() -> None:
    async def talk() -> None:
        async def serve(request: web.Request, streams: StreamingServer) -> web.StreamResponse:
            return await _exec(request, streams, "sh", "-c", "read line; stty size", tty=True)

        async with translated(serve, _V5) as socket:
            await socket.send_bytes(b'\4{"Width":97,"Height":31}')
            await socket.send_bytes(b"\0\n")
            said = await _said(socket)
        assert b"31 97" in said[1]
        assert json.loads(said[3])["status"] == "Success"

    asyncio.run(talk())


def test_who_does_not_serve_it_is_told_of_on_the_error_channel() -> None:
    async def talk() -> None:
        async def serve(request: web.Request, streams: StreamingServer) -> web.StreamResponse:
            del streams
            nobody = tunnel.Asked("127.0.0.1", 9, "GET", "/", [])
            return await translating.command(request, Asked(stdout=True, command=("id",)), nobody)

        async with translated(serve, _V5) as socket:
            said = await _said(socket)
        ending = json.loads(said[3])
        assert ending["status"] == "Failure"
        assert "error dialing backend" in ending["message"]

    asyncio.run(talk())


def test_the_bytes_of_a_tunnel_are_passed_on() -> None:
    async def talk() -> None:
        async def serve(request: web.Request, streams: StreamingServer) -> web.StreamResponse:
            return await translating.ports(request, target(streams.port_forward_url(PortForwardRequest("s"))))

        async with translated(serve, _TUNNEL) as socket:
            assert socket.protocol == _TUNNEL
            await socket.send_bytes(b"\x80\x03\0\x06\0\0\0\x04\0\0\0\x01")  # PING 1
            message = await socket.receive()
            assert message.data == b"\x80\x03\0\x06\0\0\0\x04\0\0\0\x01"
            await socket.close()

    asyncio.run(talk())
