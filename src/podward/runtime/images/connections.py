"""HTTP connections to a registry, and to where it sends us: TLS, proxies, and what failed, in words.

The environment names proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). A connection that is idle is used again.
"""

from __future__ import annotations

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

from podward import __version__
from podward.errors import RegistryError
from podward.runtime.images.endpoints import Endpoint

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

    def send(self, url: SplitResult, headers: Mapping[str, str], form: bytes | None = None) -> HTTPResponse:
        """Send a GET, or a form with POST, and return the answer. Raises RegistryError if none comes."""
        place = (url.scheme, url.netloc)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        while True:
            kept = self._idle.pop(place, None)
            connection = kept or self._connect(*place)
            try:
                method = "GET" if form is None else "POST"
                connection.request(method, path, form, {"User-Agent": f"podward/{__version__}", **headers})
                response = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if kept is not None:  # it had been idle: the registry may have ended it
                    continue
                raise failed(_reason(error), self._endpoint.name) from None
            self._idle[place] = connection
            return response

    def _connect(self, scheme: str, host: str) -> http.client.HTTPConnection:
        proxy = _proxy(scheme, host)
        try:
            if scheme == "http":
                connection = http.client.HTTPConnection(proxy or host, timeout=_STALLED)
            else:
                is_own = host == self._endpoint.host
                if is_own not in self._contexts:
                    self._contexts[is_own] = _tls(self._endpoint, is_own=is_own)
                context = self._contexts[is_own]
                connection = http.client.HTTPSConnection(proxy or host, timeout=_STALLED, context=context)
                if proxy:
                    connection.set_tunnel(host)
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            raise failed(_reason(error), self._endpoint.name) from None
        self._sockets.append(connection.sock)
        return connection


class Body:
    """A blob on its way. A connection that breaks is no corrupt blob."""

    def __init__(self, response: HTTPResponse, where: str) -> None:
        self._response = response
        self._where = where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._response.close()

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises ImageError if the end comes before its time."""
        try:
            piece = self._response.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise failed(_reason(error), self._where) from None
        if not piece and self._response.length:
            raise failed(f"it breaks off {self._response.length:,} bytes before a blob's end", self._where)
        return piece


def failed(what: str, where: str) -> RegistryError:
    """The error about an endpoint."""
    return RegistryError(what, where=where, advice=ADVICE)


def _proxy(scheme: str, host: str) -> str:
    """HOST:PORT of the proxy that the environment names for this host, empty if none."""
    proxies = urllib.request.getproxies()
    if scheme not in proxies or urllib.request.proxy_bypass(host):
        return ""
    return urllib.parse.urlsplit(proxies[scheme]).netloc.rpartition("@")[2] or proxies[scheme]


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
