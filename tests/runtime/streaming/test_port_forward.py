"""Port-forward over SPDY, plain and in a WebSocket, and over a WebSocket's channels, to servers of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import aiohttp
import pytest
from streaming_clients import LocalProvider, SpdyPeer, served, upgraded, url_of

from podward.api.cri_requests import PortForwardRequest
from podward.runtime.streaming import spdy, wires
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.server import StreamingServer

PROTOCOL = "portforward.k8s.io"


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """The port of a server that sends back what it is sent, and `bye` once that has ended."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.write(b"bye")
        except ConnectionError:
            broken.append(1)
        finally:
            writer.close()

    broken: list[int] = []
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


async def forwarded(server: StreamingServer) -> SpdyPeer:
    return await upgraded(url_of(server.port_forward_url(PortForwardRequest("pod"))), PROTOCOL)


async def pair(peer: SpdyPeer, port: int, request: str) -> tuple[int, int]:
    error = await peer.open(stream_type="error", port=str(port), request_id=request)
    return await peer.open(stream_type="data", port=str(port), request_id=request), error


def ended(peer: SpdyPeer, stream: int) -> bool:
    return any(isinstance(e, spdy.DataReceived) and e.stream == stream and e.finished for e in peer.events)


def was_reset(peer: SpdyPeer, stream: int) -> bool:
    return any(isinstance(e, spdy.StreamReset) and e.stream == stream for e in peer.events)


def test_bytes_and_ends_pass_both_ways() -> None:
    async def work() -> None:
        async with echo() as port, served(LocalProvider()) as server:
            peer = await forwarded(server)
            data, error = await pair(peer, port, "0")
            await peer.send(peer.frames.data(data, b"hello "))
            await peer.until(lambda: peer.text(data) == b"hello ")
            await peer.send(peer.frames.finish(data))
            await peer.until(lambda: ended(peer, data) and ended(peer, error))
            assert (peer.text(data), peer.text(error)) == (b"hello bye", b"")

    run(work())


def test_many_connections_share_one_of_spdy() -> None:
    async def work() -> None:
        async with echo() as port, served(LocalProvider()) as server:
            peer = await forwarded(server)
            sent = {}
            for number in range(50):
                data, _ = await pair(peer, port, str(number))
                sent[data] = os.urandom(20000)
            for data, content in sent.items():
                await peer.send(peer.frames.data(data, content) + peer.frames.finish(data))
            await peer.until(lambda: all(ended(peer, data) for data in sent))
            assert {data: peer.text(data) for data in sent} == {data: sent[data] + b"bye" for data in sent}

    run(work())


def test_streams_without_request_ids_are_paired_by_their_numbers() -> None:
    async def work() -> None:
        async with echo() as port, served(LocalProvider()) as server:
            peer = await forwarded(server)
            await peer.open(stream_type="error", port=str(port))
            data = await peer.open(stream_type="data", port=str(port))
            await peer.send(peer.frames.data(data, b"x"))
            await peer.until(lambda: peer.text(data) == b"x")

    run(work())


def test_a_port_where_nobody_listens_is_told() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            port = free_port()
            data, error = await pair(peer, port, "0")
            await peer.until(lambda: was_reset(peer, data) and was_reset(peer, error))
            assert peer.text(error).startswith(f"error forwarding port {port} to pod pod, uid : pod: port".encode())

    run(work())


def test_a_client_that_resets_breaks_the_connection_off() -> None:
    async def work() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            data, error = await pair(peer, listener.getsockname()[1], "0")
            loop = asyncio.get_running_loop()
            connection, _ = await loop.sock_accept(listener)
            with listener, connection:
                await peer.send(peer.frames.reset(data, spdy.Reset.CANCEL))
                assert await loop.sock_recv(connection, 1) == b""
                await peer.until(lambda: ended(peer, error))

    run(work())


def test_the_error_stream_ends_with_the_pods_half() -> None:
    async def work() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            data, error = await pair(peer, listener.getsockname()[1], "0")
            with listener, (await asyncio.get_running_loop().sock_accept(listener))[0] as connection:
                connection.shutdown(socket.SHUT_WR)
                await peer.until(lambda: ended(peer, data) and ended(peer, error))
                await peer.send(peer.frames.data(data, b"still taken"))
                assert await asyncio.get_running_loop().sock_recv(connection, 100) == b"still taken"

    run(work())


def test_a_client_that_goes_ends_what_it_forwarded() -> None:
    async def work() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            await pair(peer, listener.getsockname()[1], "0")
            loop = asyncio.get_running_loop()
            connection, _ = await loop.sock_accept(listener)
            with listener, connection:
                peer.leave()
                assert await loop.sock_recv(connection, 1) == b""

    run(work())


def test_half_a_pair_is_given_up_in_time() -> None:
    async def work() -> None:
        async with served(LocalProvider(), Patience(creation=0.1)) as server:
            peer = await forwarded(server)
            error = await peer.open(stream_type="error", port="80", request_id="7")
            await peer.until(lambda: was_reset(peer, error))
            assert peer.text(error) == b"(request=7) timed out waiting for streams"

    run(work())


def test_a_second_stream_of_a_kind_is_an_error() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            error = await peer.open(stream_type="error", port="80", request_id="7")
            await peer.open(stream_type="error", port="80", request_id="7")
            await peer.until(lambda: bool(peer.text(error)))
            assert peer.text(error) == b"error processing stream for request 7: error stream already assigned"

    run(work())


@pytest.mark.parametrize(
    "headers",
    [
        {"stream_type": "data"},
        {"port": "80"},
        {"stream_type": "data", "port": "0"},
        {"stream_type": "data", "port": "65536"},
        {"stream_type": "data", "port": "-1"},
        {"stream_type": "data", "port": "\xb2"},
        {"stream_type": "other", "port": "80"},
    ],
)
def test_a_stream_that_is_no_forward_is_reset(headers: dict[str, str]) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            stream = await peer.open(**headers)
            await peer.until(lambda: was_reset(peer, stream))

    run(work())


def test_more_streams_than_may_be_open_are_refused() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await forwarded(server)
            last = 0
            for number in range(1001):
                last = await peer.open(stream_type="error", port="80", request_id=str(number))
            await peer.until(lambda: was_reset(peer, last))
            assert spdy.StreamReset(last, spdy.Reset.REFUSED_STREAM) in peer.events

    run(work())


def test_spdy_within_a_websocket() -> None:
    async def work() -> None:
        async with echo() as port, served(LocalProvider()) as server, aiohttp.ClientSession() as session:
            url = url_of(server.port_forward_url(PortForwardRequest("pod")))
            async with session.ws_connect(url, protocols=(f"SPDY/3.1+{PROTOCOL}",)) as tunnel:
                assert tunnel.protocol == f"SPDY/3.1+{PROTOCOL}"
                frames = spdy.Connection(client=True)
                headers = {"port": str(port), "requestid": "0"}
                _, error = frames.open({**headers, "streamtype": "error"})
                data, opening = frames.open({**headers, "streamtype": "data"})
                whole = error + opening + frames.data(data, b"hello ") + frames.finish(data)
                for start in range(0, len(whole), 7):  # messages are cut anywhere
                    await tunnel.send_bytes(whole[start : start + 7])
                came = b""
                while not came.endswith(b"bye"):
                    frames.receive(await tunnel.receive_bytes())
                    for event in iter(frames.next_event, None):
                        came += event.data if isinstance(event, spdy.DataReceived) else b""
                assert came == b"hello bye"

    run(work())


def test_channels_of_a_websocket_begin_with_their_port() -> None:
    async def work() -> None:
        async with echo() as port, served(LocalProvider()) as server, aiohttp.ClientSession() as session:
            nobody = free_port()
            url = url_of(server.port_forward_url(PortForwardRequest("pod", (port, nobody))))
            async with session.ws_connect(url, protocols=("v4.channel.k8s.io",)) as channels:
                came = dict.fromkeys(range(4), b"")

                async def until(channel: int, text: bytes) -> None:
                    while text not in came[channel]:
                        message = await channels.receive_bytes()
                        came[message[0]] += message[1:]

                await channels.send_bytes(b"\0hello")
                await until(0, b"hello")
                await until(3, b"error forwarding port")
                assert came[0] == port.to_bytes(2, "little") + b"hello"
                assert came[1] == port.to_bytes(2, "little")
                assert came[2] == nobody.to_bytes(2, "little")

    run(work())


def test_a_client_that_reads_nothing_is_left_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "SECONDS_TO_PART", 0.1)

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(bytes(65536))
                await writer.drain()

    async def work() -> None:
        flooding = await asyncio.start_server(flood, "127.0.0.1", 0)
        async with flooding, served(LocalProvider(), Patience(idle=0.3)) as server:
            peer = await forwarded(server)
            await pair(peer, flooding.sockets[0].getsockname()[1], "0")
            while server.connections:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)

    run(work())
