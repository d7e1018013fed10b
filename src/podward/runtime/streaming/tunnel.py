"""A request to speak another protocol, made to a server for somebody else, and the bytes of both passed on.

Specification (Kubernetes, k8s.io/apimachinery, pkg/util/proxy UpgradeAwareHandler, in our words): where the other
server refuses, its answer is the client's; what neither agrees nor refuses is a failure; when one side ends, so does
the other. An API server does so with its nodes, a node with its container runtime.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web
from msgspec import Struct

from podward.runtime.streaming.wires import UpgradedWire, taken_over

_LONGEST_HEAD = 64 << 10
_LONGEST_REFUSAL = 64 << 10
_CONNECTING, _ANSWERING, _REFUSING = 30.0, 60.0, 10.0
_SWITCHING, _REFUSED = 101, 400
Headers = Sequence[tuple[str, str]]


class Asked(Struct, frozen=True):
    """What is asked, and whom: `line` is path and query as they are sent; `tls` None: no HTTPS."""

    host: str
    port: int
    method: str
    line: str
    headers: Headers
    tls: ssl.SSLContext | None = None


class Connected(Struct, frozen=True):
    """A connection on which another protocol is spoken from now on, and how that was agreed on."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: Headers


class Refused(Struct, frozen=True):
    """The other server's answer, which does not agree."""

    code: int
    headers: Headers
    body: bytes


class Unreached(Struct, frozen=True):
    """The other server was not reached, or said nothing that can be understood, while we were doing something."""

    doing: str
    error: Exception


def wants_upgrade(headers: Headers) -> bool:
    """Whether a client wants to speak another protocol."""
    return any("upgrade" in value.lower() for name, value in headers if name.lower() == "connection")


async def connect(asked: Asked) -> Connected | Refused | Unreached:
    """A connection to a server that agrees to what it is asked for."""
    try:
        async with asyncio.timeout(_CONNECTING):
            reader, writer = await asyncio.open_connection(
                asked.host, asked.port, ssl=asked.tls, limit=_LONGEST_HEAD,
                server_hostname=asked.host if asked.tls is not None else None,
            )  # fmt: skip
    except OSError as error:  # a TimeoutError, too
        return Unreached("error dialing backend", error)
    found: Connected | Refused | Unreached | None = None
    try:
        writer.write(_head(asked))
        async with asyncio.timeout(_ANSWERING):
            await writer.drain()
            found = await _answer(reader, writer)
    except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
        found = Unreached("error sending request", error)
    finally:
        if not isinstance(found, Connected):
            writer.close()
    return found


async def serve(request: web.BaseRequest, connected: Connected) -> web.StreamResponse:
    """Tell the client that it was agreed on, and pass bytes both ways, until one side ends."""
    try:
        answer = web.StreamResponse(status=_SWITCHING)
        for name, value in connected.headers:
            answer.headers.add(name, value)
        async with taken_over(request, answer, _nothing) as (begun, client):
            await _speak(client, UpgradedWire(connected.reader, connected.writer, _nothing))
        return begun
    finally:
        connected.writer.close()


def _head(asked: Asked) -> bytes:
    place = f"[{asked.host}]:{asked.port}" if ":" in asked.host else f"{asked.host}:{asked.port}"
    lines = [f"{asked.method} {asked.line} HTTP/1.1"]
    if not any(name.lower() == "host" for name, _ in asked.headers):
        lines.append(f"Host: {place}")
    lines += [f"{name}: {value}" for name, value in asked.headers]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header has several lines")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connected | Refused | Unreached:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")[:-2]
    version, _, rest = first.partition(" ")
    if any(ord(char) < ord(" ") and char != "\t" for line in (first, *lines) for char in line):
        return Unreached("", ValueError("malformed HTTP response"))
    code = int(rest[:3]) if version.startswith("HTTP/1.") and rest[:3].isdecimal() else 0
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if code == _SWITCHING:
        return Connected(reader, writer, headers)
    if code < _REFUSED:
        return Unreached("", ValueError(f"invalid upgrade response: status code {code}"))
    return Refused(code, headers, await _body(reader, {name.lower(): value for name, value in headers}))


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The body of a refusal, or so much of it as comes."""
    body = bytearray()
    with suppress(TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError):
        async with asyncio.timeout(_REFUSING):
            if "chunked" in headers.get("transfer-encoding", "").lower():
                while (size := int((await reader.readline()).split(b";")[0], 16)) and len(body) < _LONGEST_REFUSAL:
                    body += (await reader.readexactly(min(size, _LONGEST_REFUSAL) + 2))[:-2]
            else:
                length = headers.get("content-length", "")
                left = min(int(length), _LONGEST_REFUSAL) if length.isdecimal() else _LONGEST_REFUSAL
                while left and (piece := await reader.read(left)):
                    body += piece
                    left -= len(piece)
    return bytes(body)


async def _speak(client: UpgradedWire, server: UpgradedWire) -> None:
    """Pass bytes both ways until one side has ended; what the server said before its end is still passed on."""
    ways = (asyncio.create_task(_pass(client, server)), asyncio.create_task(_pass(server, client)))
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if ways[1].done():
            ways[0].cancel()
            await asyncio.gather(ways[0], return_exceptions=True)
            await client.part()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pass(source: UpgradedWire, sink: UpgradedWire) -> None:
    with suppress(ConnectionError):
        while data := await source.read():
            await sink.write(data)


def _nothing() -> None:
    """Nobody asks whether anything came or went."""
