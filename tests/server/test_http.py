"""What is odd in HTTP itself leads nowhere, and is told to nobody."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import Server, running

from podward.server import http
from podward.server.request import Answer, Reply, Request, Stream

MAPS = "/api/v1/namespaces/default/configmaps"


def _sent(server: Server, data: bytes) -> bytes:
    where = urlsplit(server.url)
    plain = socket.create_connection((where.hostname or "", where.port or 0), timeout=10)
    with server.context.wrap_socket(plain, server_hostname=where.hostname) as connection:
        connection.sendall(data)
        return connection.recv(1 << 16)


def test_a_header_that_cannot_be_read_is_not_logged(tmp_path: Path) -> None:
    with running(tmp_path) as own:  # stopping it asserts that nothing stands in its stderr
        head = b"GET /healthz HTTP/1.1\r\nHost: here\r\nAuthorization : Bearer secret\r\n\r\n"
        assert b" 400 " in _sent(own, head).partition(b"\r\n")[0]


def test_two_lengths_of_a_body_are_refused(server: Server) -> None:
    head = b"POST /healthz HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert b" 400 " in _sent(server, head).partition(b"\r\n")[0]


def test_long_headers_are_refused(server: Server) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: here\r\nOne: " + b"x" * 100_000 + b"\r\n\r\n"
    assert b" 400 " in _sent(server, head).partition(b"\r\n")[0]


def test_a_body_is_not_decompressed(server: Server) -> None:
    body = gzip.compress(json.dumps({"metadata": {"name": "small"}}).encode())
    head = (
        f"POST {MAPS} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer admin-token\r\nContent-Type: application/json\r\n"
    )
    head += f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    assert b" 400 " in _sent(server, head.encode() + body).partition(b"\r\n")[0]


def test_a_path_with_line_ends_makes_no_header(server: Server) -> None:
    code, _, headers = server.ask("GET", "/openapi/v3/x%0d%0aSet-Cookie:%20a?hash=old")
    assert code == 301
    assert "%0D%0A" in headers["Location"]
    assert "Set-Cookie" not in headers


async def _patient(sent: bytes) -> bytes:
    """What a server answers whose patience is short, and whose answers take longer."""

    async def serve(_request: Request) -> Answer:
        await asyncio.sleep(0.3)
        return Reply(200, b"late")

    factory = http.server(serve, patience=0.1)
    listener = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.write(sent)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()
        listener.close()
        await factory.shutdown(0)


def test_who_does_not_finish_the_head_of_a_request_is_given_up() -> None:
    assert asyncio.run(_patient(b"GET /healthz HTTP/1.1\r\nHost:")) == b""
    assert asyncio.run(_patient(b"")) == b""


def test_an_answer_may_take_longer() -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    assert asyncio.run(_patient(head)).endswith(b"late")


async def _ended_beside(idle: int) -> bytes:
    """What who asked before the server ended is answered, and others, who asked and were answered, are sent then."""
    asked, may = asyncio.Event(), asyncio.Event()

    async def serve(request: Request) -> Answer:
        if request.path == "/slow":
            asked.set()
            await may.wait()
        return Reply(200, b"done")

    factory = http.server(serve)
    listener = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    clients = [await asyncio.open_connection(*listener.sockets[0].getsockname()) for _ in range(idle + 1)]
    for reader, writer in clients[1:]:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"done")
    clients[0][1].write(b"GET /slow HTTP/1.1\r\nHost: here\r\n\r\n")
    await asked.wait()
    listener.close()
    ending = asyncio.create_task(factory.shutdown(3600))
    async with asyncio.timeout(30):
        rest = b"".join([await reader.read() for reader, _ in clients[1:]])
        may.set()
        rest += await clients[0][0].read()
        await ending
    for _, writer in clients:
        writer.close()
    return rest


def test_a_server_that_ends_waits_for_answers_and_not_for_who_asks_nothing() -> None:
    assert asyncio.run(_ended_beside(idle=3)).count(b"done") == 1


def test_no_answer_tells_what_made_it(server: Server) -> None:
    assert "Server" not in server.ask("GET", "/healthz")[2]
    for head in (b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n", b"GET / HTTP/1.1\r\nHost : here\r\n\r\n"):
        assert b"server:" not in _sent(server, head).lower()


async def _unread() -> int:
    """How many pieces of an endless answer are made for who does not read it, until it ends."""
    made, ended = 0, asyncio.Event()

    async def pieces() -> AsyncGenerator[bytes, None]:
        nonlocal made
        while True:
            made += 1
            yield b"x" * (1 << 20)

    async def serve(_request: Request) -> Answer:
        return Stream(pieces(), ended=[ended.set])

    factory = http.server(serve)
    listener = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
    try:
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        writer.close()
        listener.close()
        await factory.shutdown(0)
    return made


def test_who_does_not_read_an_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_STALLED", 0.2)
    assert asyncio.run(_unread()) < 20
