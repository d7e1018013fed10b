"""Calling a webhook: a JSON document over HTTPS, and the answer, or why there is none in the real server's words.

Specification: Kubernetes, k8s.io/apiserver, pkg/util/webhook/client.go, and what client-go says of answers that are no
success. Certificates are always verified: by the authorities that the webhook's configuration names, or the machine's.
Connections are kept; no redirect is followed; no more is read than an answer may have.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import msgspec
from aiohttp import abc
from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.api.status import Status
from podward.api.webhook_client import WebhookClient
from podward.server.webhooks.answers import refused_by_http

if TYPE_CHECKING:
    from podward.client.connection import Connection
    from podward.server.webhooks.services import Services

_PER_HOST = 100
_KEPT = 90.0
_MOST_CONTEXTS = 200
_CODES = {
    errno.ECONNREFUSED: "connect: connection refused",
    errno.EHOSTUNREACH: "connect: no route to host",
    errno.ENETUNREACH: "connect: network is unreachable",
    errno.ETIMEDOUT: "connect: connection timed out",
    errno.ECONNRESET: "connect: connection reset by peer",
}
_UNKNOWN_AUTHORITY = frozenset((7, 18, 19, 20, 21))
_NOT_NOW, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64
_VERIFY = "tls: failed to verify certificate: x509: "
_LEAST_FAILURE = 300
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json, */*"}


class NoAnswer(Struct, frozen=True):
    """Why a webhook gave no answer; `status` where it answered with one."""

    why: str
    status: Status | None = None


class Remote(Struct, frozen=True):
    """Where a webhook is, whom to trust there, and how to say who calls."""

    client: WebhookClient
    tls: ssl.SSLContext
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def at(cls, connection: Connection) -> Remote:
        """The webhook that a kubeconfig leads to."""
        return cls(WebhookClient(connection.server), connection.tls, connection.headers)


class UnresolvedError(OSError):
    """A Service leads nowhere."""


class ServiceResolver(abc.AbstractResolver):
    """Where the name of a Service leads: to what is ready behind it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._names = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[abc.ResolveResult]:
        """The addresses. Raises UnresolvedError."""
        found = await self._services.address(host, port)
        if isinstance(found, str):
            raise UnresolvedError(found)
        address, target = found
        return [
            abc.ResolveResult(
                hostname=host, host=each["host"], port=each["port"], family=each["family"], proto=each["proto"],
                flags=each["flags"],
            )
            for each in await self._names.resolve(address, target, family)
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is open."""


class Webhooks:
    """The connections of a server to its webhooks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._by_name: aiohttp.ClientSession | None = None
        self._by_service: aiohttp.ClientSession | None = None

    async def post(self, client: WebhookClient, document: Json, seconds: float | None, most: int) -> bytes | NoAnswer:
        """The answer to a document. `most` is how many bytes it may have."""
        try:
            tls = _context(client.authorities)
        except (ssl.SSLError, ValueError) as error:
            return NoAnswer(f"unable to load root certificates: {getattr(error, 'reason', None) or error}")
        return await self.send(Remote(client, tls), document, seconds, most)

    async def send(self, remote: Remote, document: Json, seconds: float | None, most: int) -> bytes | NoAnswer:
        """The same where it is known whom to trust, and how to say who calls."""
        url = _url(remote.client, seconds)
        try:
            async with asyncio.timeout(seconds):
                return await self._answer(remote, url, msgspec.json.encode(document), most)
        except TimeoutError:
            return NoAnswer(f"Post {quote(url)}: context deadline exceeded")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return NoAnswer(f"Post {quote(url)}: {fault_of_connection(error, url)}")

    async def close(self) -> None:
        """End all connections."""
        for session in (self._by_name, self._by_service):
            if session is not None:
                await session.close()

    async def _answer(self, remote: Remote, url: str, body: bytes, most: int) -> bytes | NoAnswer:
        session, headers = self._session(remote.client), {**_HEADERS, **dict(remote.headers)}
        async with session.post(url, data=body, headers=headers, ssl=remote.tls, allow_redirects=False) as response:
            found = await limited_body(response, most)
            if found is None:
                return NoAnswer(f"the answer is longer than {most} bytes")
            if response.status >= _LEAST_FAILURE:
                status = refused_by_http(response.status, found, response.headers.get("Content-Type", ""))
                return NoAnswer(status.message, status)
            return found

    def _session(self, client: WebhookClient) -> aiohttp.ClientSession:
        if client.service is None:
            if self._by_name is None:
                self._by_name = _new_session(aiohttp.ThreadedResolver())
            return self._by_name
        if self._by_service is None:
            self._by_service = _new_session(ServiceResolver(self._services))
        return self._by_service


def _new_session(resolver: abc.AbstractResolver) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        limit=0, limit_per_host=_PER_HOST, keepalive_timeout=_KEPT, resolver=resolver, use_dns_cache=False
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "kube-apiserver-admission", "Accept-Encoding": "identity"},
    )


async def limited_body(response: aiohttp.ClientResponse, most: int) -> bytes | None:
    """The answer's body; None where it is longer than it may be, and is not read on."""
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > most:
            response.close()
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _url(client: WebhookClient, seconds: float | None) -> str:
    """Where the document is sent, as the real server writes it."""
    query = f"timeout={_rounded(seconds)}s" if seconds is not None else ""
    service = client.service
    if service is not None:
        return urlunsplit(("https", f"{service.host}:{service.port}", _joined(service.path), query, ""))
    parts = urlsplit(client.url)
    return urlunsplit((parts.scheme, parts.netloc, _joined(parts.path), query, ""))


def _joined(path: str) -> str:
    steps = [step for step in path.split("/") if step not in {"", "."}]
    return "/" + "/".join(steps)


def _rounded(seconds: float) -> int:
    return int(seconds) + (seconds > int(seconds))


@lru_cache(_MOST_CONTEXTS)
def _context(authorities: bytes) -> ssl.SSLContext:
    """Raises ssl.SSLError and ValueError where there is no certificate to be trusted."""
    if authorities.strip():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=authorities.decode("ascii", errors="replace"))
    else:
        context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def fault_of_connection(error: Exception, url: str) -> str:
    """Go's words for what went wrong on the way."""
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    if isinstance(inner, UnresolvedError):
        return str(inner)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return _VERIFY + _mistrust(inner, urlsplit(url).hostname or "")
    if isinstance(inner, ssl.SSLError):
        return _tls_fault(inner)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    where = urlsplit(url)
    at = f"{where.hostname}:{where.port or 443}"
    if isinstance(inner, socket.gaierror):
        return f"dial tcp: lookup {where.hostname}: no such host"
    if isinstance(inner, OSError):
        if inner.errno in {errno.ECONNRESET, errno.EPIPE} and not isinstance(error, aiohttp.ClientConnectorError):
            return f"read tcp {at}: read: connection reset by peer"
        return f"dial tcp {at}: {_CODES.get(inner.errno or 0, f'connect: {inner.strerror or inner}')}"
    return f"net/http: {error}" if str(error) else "EOF"


def _mistrust(error: ssl.SSLCertVerificationError, host: str) -> str:
    code = error.verify_code
    if code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if code in {_NOT_NOW, _NOT_YET}:
        return "certificate has expired or is not yet valid"
    if code == _OTHER_NAME:
        return f"certificate is not valid for {host}"
    if code == _OTHER_ADDRESS:
        return f"cannot validate certificate for {host} because it doesn't contain any IP SANs"
    return error.verify_message


def _tls_fault(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return "http: server gave HTTP response to HTTPS client"
    return f"remote error: tls: {reason.lower().replace('_', ' ')}" if reason else "EOF"
