"""HTTP connections to a registry, and to where it sends us: TLS, proxies, and what failed, in words.

The environment names proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), which as in Go are never for loopback. A
connection that is idle is used again.
"""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import urllib.parse
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPResponse
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult

from msgspec import Struct

from podward import __version__
from podward.errors import RegistryError
from podward.runtime.images.endpoints import Endpoint, is_loopback
from podward.runtime.images.layout import LARGEST_DOCUMENT

ADVICE = "check the name; `skopeo login` for a private registry; --tls-verify=false for one without TLS"
_STALLED = 60.0
"""After so many seconds without a byte a host is given up."""


class Connections:
    """Those that one thread has for the images of an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: dict[tuple[str, str], http.client.HTTPConnection] = {}
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """End all; a thread that reads from one finds that it was broken off."""
        for each in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)
        for connection in self._idle.values():
            connection.close()
        self._idle.clear()
        self._sockets.clear()

    def send(self, url: SplitResult, headers: Mapping[str, str], form: bytes | None = None) -> Answer:
        """Send a GET, or a form with POST, and return the answer. Raises RegistryError if none comes."""
        place = (url.scheme, url.netloc)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        proxy = _proxy(*place)
        if proxy and url.scheme == "http":
            path, headers = f"http://{url.netloc}{path}", {**proxy.headers, **headers}
        method = "GET" if form is None else "POST"
        while True:
            kept = self._idle.pop(place, None)
            connection = kept or self._connect(*place, proxy)
            try:
                connection.request(method, path, form, {"User-Agent": f"podward/{__version__}", **headers})
                response = connection.getresponse()
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if kept is not None:  # it had been idle: the registry may have ended it
                    continue
                raise failed(_reason(error), self._endpoint.name) from None
            self._idle[place] = connection
            return Answer(response, self._endpoint.name)

    def _connect(self, scheme: str, host: str, proxy: _Proxy | None) -> http.client.HTTPConnection:
        target = proxy.host if proxy else host
        try:
            if scheme == "http":
                connection = http.client.HTTPConnection(target, timeout=_STALLED)
            else:
                is_own = host == self._endpoint.host
                if is_own not in self._contexts:
                    self._contexts[is_own] = _tls(self._endpoint, is_own=is_own)
                connection = http.client.HTTPSConnection(target, timeout=_STALLED, context=self._contexts[is_own])
                if proxy:
                    connection.set_tunnel(host, headers=dict(proxy.headers))
            connection.connect()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise failed(_reason(error), self._endpoint.name) from None
        self._sockets.append(connection.sock)
        return connection


class _Proxy(Struct, frozen=True):
    host: str
    headers: Mapping[str, str]


class Answer:
    """The answer of a host, whose content comes as it is read. A connection that breaks is no corrupt blob."""

    def __init__(self, response: HTTPResponse, where: str) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._where = where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises RegistryError if the end comes before its time."""
        try:
            piece = self._response.read(size)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise failed(_reason(error), self._where) from None
        if not piece and self._response.length:
            raise failed(f"it breaks off {self._response.length:,} bytes before the end", self._where)
        return piece

    def document(self) -> bytes:
        """The whole content. Raises RegistryError if it is too large for a document, or breaks off."""
        content = self.read(LARGEST_DOCUMENT)
        if self.read(1):
            raise failed("what it answers is too large", self._where)
        return content


def failed(what: str, where: str) -> RegistryError:
    """The error about an endpoint."""
    return RegistryError(what, where=where, advice=ADVICE)


def _proxy(scheme: str, host: str) -> _Proxy | None:
    """The proxy that the environment names for this host, and what it wants to be told."""
    proxies = urllib.request.getproxies()
    if scheme not in proxies or is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    word = proxies[scheme]
    split = urllib.parse.urlsplit(word if "://" in word else f"http://{word}")
    login, _, place = split.netloc.rpartition("@")
    return _Proxy(place, {"Proxy-Authorization": basic(urllib.parse.unquote(login))} if login else {})


def basic(login: str) -> str:
    """The header for NAME:PASSWORD."""
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def _tls(endpoint: Endpoint, *, is_own: bool) -> ssl.SSLContext:
    if endpoint.verify:
        context = ssl.create_default_context()
        for file in endpoint.certificates.authorities:
            context.load_verify_locations(file)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for certificate, key in endpoint.certificates.clients if is_own else ():
        context.load_cert_chain(certificate, key)
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        plain = error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE"}
        return "it answers our TLS with plain HTTP" if plain else f"TLS fails: {error.reason}"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "it breaks off its answer" if isinstance(error, http.client.IncompleteRead) else "it answers no HTTP"
