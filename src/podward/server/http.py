"""HTTP: bytes of a connection into a `Request`, an `Answer` into bytes. Everything else is the handler's.

aiohttp's server is used without its router: what is served is for `routes.py` to say.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from aiohttp import web

from podward.api import status
from podward.api.status import Status, encoded
from podward.server import failures
from podward.server.decoding import MOST
from podward.server.negotiation import JSON, PROTOBUF, YAML, takes_protobuf_alone, unrouted
from podward.server.request import Handler, Reply, Request, Stream, Taken
from podward.server.request_info import request_info

if TYPE_CHECKING:
    import ssl

    from aiohttp import StreamReader
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http import RawRequestMessage

_COMPRESSED_FROM = 128 << 10
_LONGEST_HEADER, _LONGEST_LINE = 64 << 10, 64 << 10
_WRITTEN = 64 << 10
_STALLED = 60.0
"""Seconds after which a reader who does not read is let go: what waits for him is in memory."""
_BODILESS = frozenset((204, 304))
_LINGERING = 2.0
"""For how many seconds the rest of a body is let go by that is not wanted, so that its client reads the answer."""
_NO_QUERY: Mapping[str, list[str]] = {}


class _Request(web.BaseRequest):
    """A request whose answer does not tell with what it was made."""

    async def _prepare_hook(self, resp: web.StreamResponse) -> None:
        resp.headers.popall("Server", None)


def _request(
    message: RawRequestMessage, payload: StreamReader, protocol: web.RequestHandler, writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:  # fmt: skip
    return _Request(message, payload, protocol, writer, task, asyncio.get_running_loop())


class _Server(web.Server):
    """aiohttp's server, which itself waits for the first request of a connection for ever."""

    def __init__(self, handle: Handler, patience: float) -> None:
        # No logger: aiohttp's shows the bytes that it could not read, which may be a token. No decompressing: a body is
        # what was sent, as it is for the real server.
        super().__init__(
            self._serve, request_factory=_request, access_log=None, logger=_silent(), max_line_size=_LONGEST_LINE,
            max_field_size=_LONGEST_HEADER, keepalive_timeout=180, auto_decompress=False, lingering_time=_LINGERING,
        )  # fmt: skip
        self._handle = handle
        self._patience = patience
        self._unheard: set[web.RequestHandler] = set()
        self._streaming: dict[web.RequestHandler, asyncio.Task[None]] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        transport.set_write_buffer_limits(_WRITTEN)  # of TLS it is half a megabyte otherwise
        self._unheard.add(handler)
        asyncio.get_running_loop().call_later(self._patience, self._give_up, handler)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        self._unheard.discard(handler)
        streaming = self._streaming.pop(handler, None)
        if streaming is not None:  # who only waits for what others say would not notice
            streaming.cancel()
        super().connection_lost(handler, exc)

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - aiohttp's
        """End. Who asks for nothing is not waited for, as aiohttp itself would until the time is over."""
        self.pre_shutdown()
        await super().shutdown(timeout)

    def _give_up(self, handler: web.RequestHandler) -> None:
        if handler in self._unheard:
            handler.force_close()

    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        self._unheard.discard(raw.protocol)
        try:
            return await self._answered(raw)
        except Exception as error:  # noqa: BLE001 - what has no answer in HTTP is a failure of the server
            failures.log("an answer", error)
            return web.Response(body=encoded(failures.ANSWER) + b"\n", status=500, content_type=JSON)

    async def _answered(self, raw: web.BaseRequest) -> web.StreamResponse:
        request = request_of(raw)
        answer = await self._handle(request)
        if isinstance(answer, Taken):
            return await _taken(raw, answer)
        if not isinstance(answer, Stream):
            return _whole(request, answer)
        task = asyncio.current_task()
        if task is not None and raw.transport is not None:
            self._streaming[raw.protocol] = task
        try:
            return await _streamed(raw, request, answer)
        finally:
            self._streaming.pop(raw.protocol, None)


def server(handle: Handler, patience: float = 32.0) -> web.Server:
    """A protocol factory for connections whose requests this handler answers.

    Who has sent no whole head of a request after `patience` seconds is given up, as the real server does it.
    """
    return _Server(handle, patience)


def _silent() -> logging.Logger:
    made = logging.Logger("podward.server.http")  # noqa: LOG001 - of no tree, so that nobody turns it on
    made.disabled = True
    return made


def request_of(raw: web.BaseRequest) -> Request:
    """What was sent."""
    target, _, query_text = raw.raw_path.partition("?")
    path = unquote(target)
    query = parse_qs(query_text, keep_blank_values=True) if query_text else _NO_QUERY
    tls: ssl.SSLObject | None = raw.transport.get_extra_info("ssl_object") if raw.transport is not None else None
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    info = request_info(raw.method, path, query)

    async def body() -> bytes | Status:
        return await _body(raw)

    return Request(
        raw.method, path, query, raw.headers, info, body, raw.remote or "", certificate, target=raw.raw_path,
        pieces=raw.content.iter_any,
    )  # fmt: skip


async def _body(raw: web.BaseRequest) -> bytes | Status:
    if not raw.body_exists:
        return b""
    pieces, size = [], 0
    async for piece in raw.content.iter_any():
        size += len(piece)
        if size > MOST:
            return status.too_large(f"limit is {MOST}")
        pieces.append(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _whole(request: Request, answer: Reply | Status) -> web.Response:
    reply = _reply_of(request, answer) if isinstance(answer, Status) else answer
    response = web.Response(body=b"" if request.method == "HEAD" else reply.body, status=reply.code)
    _headers(request, response, reply.media)
    for name, value in reply.headers:
        if name == "Cache-Control":  # who says so knows better
            response.headers.popall(name)
        response.headers.add(name, value)
    if isinstance(answer, Status) and answer.details is not None and answer.details.retry_after_seconds:
        response.headers["Retry-After"] = str(answer.details.retry_after_seconds)
    if len(reply.body) > _COMPRESSED_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.body = gzip.compress(reply.body, 1)
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
    return response


def _reply_of(request: Request, answer: Status) -> Reply:
    body = encoded(answer)
    wanted = request.headers.get("Accept", "")
    if takes_protobuf_alone(wanted):
        from podward.server.protobuf_status import protobuf_status

        return Reply(answer.http_code, protobuf_status(answer), PROTOBUF)
    if unrouted(wanted).media == YAML:
        from podward.server.yaml_answers import yaml_of

        return Reply(answer.http_code, yaml_of(body), YAML)
    return Reply(answer.http_code, body + b"\n", JSON)


def _headers(request: Request, response: web.StreamResponse, media: str) -> None:
    headers = response.headers
    headers["Audit-Id"] = request.audit_id
    headers["Cache-Control"] = "no-cache, private"
    if media:
        headers["Content-Type"] = media
    for warning in request.warnings:
        headers.add("Warning", f'299 - "{_quoted(warning)}"')


def _quoted(text: str) -> str:
    """A warning's text in a header: no control characters, quotes and backslashes escaped."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')


async def _streamed(raw: web.BaseRequest, request: Request, answer: Stream) -> web.StreamResponse:
    response = _begun(request, answer)
    try:
        await response.prepare(raw)
        async for piece in answer.pieces:
            for start in range(0, len(piece), _WRITTEN):  # who does not read has one of them in his connection
                await _written(raw, response, piece[start : start + _WRITTEN], None if answer.patient else _STALLED)
        await response.write_eof()
    except asyncio.CancelledError:
        pass
    except (ConnectionError, TimeoutError):  # also of whom it is passed on from: the client hears that it is not whole
        if raw.transport is not None:
            raw.transport.abort()
    except Exception as error:  # noqa: BLE001 - the answer has begun: it can only be broken off
        failures.log("a stream", error)
        response.force_close()
        if raw.transport is not None:
            raw.transport.abort()
    finally:
        await answer.pieces.aclose()
        for told in answer.ended:
            told()
    return response


def _begun(request: Request, answer: Stream) -> web.StreamResponse:
    """The answer as far as its head."""
    response = web.StreamResponse(status=answer.code)
    _headers(request, response, answer.media)
    for name, value in answer.headers:
        response.headers.add(name, value)
    if answer.length is not None:
        response.content_length = answer.length
    elif answer.code not in _BODILESS and request.method != "HEAD":
        response.enable_chunked_encoding()
    return response


async def _taken(raw: web.BaseRequest, answer: Taken) -> web.StreamResponse:
    try:
        return await answer.serve(raw)
    except (ConnectionError, asyncio.CancelledError):
        if raw.transport is not None:
            raw.transport.abort()
        raise
    finally:
        for told in answer.ended:
            told()


async def _written(raw: web.BaseRequest, response: web.StreamResponse, piece: bytes, patience: float | None) -> None:
    """Write a piece. Raises TimeoutError where the client has not read what came before it for too long."""
    if raw.transport is not None and raw.transport.get_write_buffer_size():
        async with asyncio.timeout(patience):
            await response.write(piece)
    else:
        await response.write(piece)
