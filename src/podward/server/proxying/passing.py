"""A request to another server, and its answer, passed on piece by piece.

Specification: Kubernetes, k8s.io/apimachinery, pkg/util/proxy UpgradeAwareHandler and Transport. Redirects are not
followed: the client is sent there, through the proxy.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from podward.api import status
from podward.api.status import Status
from podward.server.proxying import heads
from podward.server.request import Stream
from podward.server.webhooks.client import fault_of_connection

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from podward.server.proxying.rewriting import Rewriting
    from podward.server.proxying.target import Target
    from podward.server.request import Request

_PER_HOST = 500
_CONNECTING = 30.0
_LEAST_CODE = 200
_LONGEST_PAGE = 16 << 20
_OURS = frozenset(("User-Agent", "Accept", "Accept-Encoding", "Content-Type"))


class Passing:
    """The connections to other servers that requests are passed on by; `resolver` says where names lead to."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    async def answer(
        self, target: Target, method: str, headers: heads.Headers, body: AsyncGenerator[bytes, None] | None = None
    ) -> aiohttp.ClientResponse | str:
        """The answer, of which only the head is read; or why there is none, in Go's words."""
        try:
            return await self._opened().request(
                method, URL(target.url, encoded=True), headers=headers, data=body,
                skip_auto_headers=_OURS, allow_redirects=False, ssl=target.tls if target.tls is not None else True,
            )  # fmt: skip
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            return fault_of_connection(error, target.url)

    async def passed(
        self, target: Target, request: Request, links: Rewriting | None = None, more: heads.Headers | None = None
    ) -> Stream | Status:
        """The answer to a request, passed on, with `more` headers; `links` are made to lead through us."""
        headers = [*heads.of_request(heads.items_of(request.headers), request.address), *(more or ())]
        headers.append(("Host", request.headers.get("Host", target.place)))
        if links is not None:
            headers.append(("X-Forwarded-Uri", links.prefix + target.path))
        length = request.headers.get("Content-Length", "")
        has_body = length not in {"", "0"} or "Transfer-Encoding" in request.headers
        if has_body and length:
            headers.append(("Content-Length", length))
        found = await self.answer(target, request.method, headers, _body(request) if has_body else None)
        if isinstance(found, str):
            return status.service_unavailable(f"error trying to reach service: {found}")
        if found.status < _LEAST_CODE:
            found.close()
            return status.service_unavailable(
                f"error trying to reach service: malformed HTTP status code {found.status}"
            )
        if links is not None:
            if "Location" in found.headers:
                return _streamed(found, links.link(found.headers["Location"]))
            if found.content_type == "text/html" and request.method != "HEAD":
                return await _page(found, links)
        return _streamed(found)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, limit_per_host=_PER_HOST, use_dns_cache=False, resolver=self._resolver
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECTING),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def pieces_of(answer: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """The body as it comes. What breaks off breaks the client's answer off, too."""
    try:
        async for piece in answer.content.iter_any():
            yield piece
    except aiohttp.ClientError as error:
        raise ConnectionResetError("the other server has gone") from error
    finally:
        answer.close() if not answer.content.at_eof() else answer.release()


async def _body(request: Request) -> AsyncGenerator[bytes, None]:
    async for piece in request.pieces():
        yield piece


def _streamed(answer: aiohttp.ClientResponse, location: str = "", page: bytes | None = None) -> Stream:
    """The answer, with another Location, or with a page in the place of its body."""
    headers = [(str(name), value) for name, value in answer.headers.items()]
    kept, length = [], None
    for name, value in heads.of_answer(headers):
        if name.lower() == "content-length":
            length = int(value) if value.isascii() and value.isdigit() else None
        elif name.lower() == "location" and location:
            kept.append((name, location))
        else:
            kept.append((name, value))
    pieces = pieces_of(answer) if page is None else _one(page)
    return Stream(
        pieces, media="", code=answer.status, headers=tuple(kept), patient=True,
        length=length if page is None else len(page),
    )  # fmt: skip


async def _one(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece


async def _page(answer: aiohttp.ClientResponse, links: Rewriting) -> Stream | Status:
    pieces, size = [], 0
    try:
        async for piece in answer.content.iter_any():
            size += len(piece)
            if size > _LONGEST_PAGE:
                answer.close()
                return status.service_unavailable("error trying to reach service: the page is too long for its links")
            pieces.append(piece)
    except aiohttp.ClientError as error:
        return status.service_unavailable(f"error trying to reach service: {error}")
    body = b"".join(pieces)
    made = links.page(body, answer.headers.get("Content-Encoding", ""), _LONGEST_PAGE)
    return _streamed(answer, page=body if made is None else made)
