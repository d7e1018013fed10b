"""What a probe or a hook asks over the network: an HTTP GET, or a TCP connection. Runs in a process of its own.

Specification (kubelet `probe/http`, `probe/tcp`, in our words): a GET succeeds with a status from 200 to 399. Redirects
(301, 302, 303, 307, 308) on the same host are followed, at most ten; one to another host ends there, as a success.
Certificates are not checked. No proxy is used. Headers that the manifest gives replace `User-Agent: kube-probe/VERSION`
and `Accept: */*`; an empty value removes one. Of the answer at most 10 KiB are read. A connection that is accepted is
all that a TCP probe wants.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from collections.abc import Callable

from msgspec import Struct

from podward.api.version import KUBERNETES
from podward.policy.kubelet.probes import Result

LARGEST_ANSWER = 10 * 1024
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_DEFAULT_HEADERS = {"user-agent": ("User-Agent", f"kube-probe/{KUBERNETES}"), "accept": ("Accept", "*/*")}


class HttpCheck(Struct, frozen=True):
    """A GET; `good` are the statuses that satisfy who asks. A `timeout` of infinity is none."""

    scheme: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    timeout: float
    good: range

    @property
    def url(self) -> str:
        """The address that is asked."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        path = self.path if self.path.startswith("/") else f"/{self.path}"
        return f"{self.scheme.lower()}://{host}:{self.port}{path}"


class TcpCheck(Struct, frozen=True):
    """A connection, with the same `timeout`."""

    host: str
    port: int
    timeout: float


def run(check: HttpCheck | TcpCheck) -> tuple[Result, str]:
    """Ask; what came of it, and the words of the kubelet's event."""
    if isinstance(check, TcpCheck):
        return _connect(check)
    return _follow(check)


def _connect(check: TcpCheck) -> tuple[Result, str]:
    import socket

    try:
        socket.create_connection((check.host, check.port), timeout=_seconds(check.timeout)).close()
    except OSError as error:
        return Result.FAILURE, f"dial tcp {check.host}:{check.port}: {_reason(error)}"
    return Result.SUCCESS, ""


def _follow(check: HttpCheck) -> tuple[Result, str]:
    url = check.url
    for _ in range(_MOST_REDIRECTS):
        try:
            status, location, body = _get(url, check)
            target = urllib.parse.urljoin(url, location) if location and status in _REDIRECTS else ""
            host = urllib.parse.urlsplit(target).hostname
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Result.FAILURE, f'Get "{url}": {_reason(error)}'
        if not target:
            break
        if host != urllib.parse.urlsplit(check.url).hostname:
            return Result.SUCCESS, f"Probe terminated redirects, Response body: {body}"
        url = target
    else:
        return Result.FAILURE, f'Get "{url}": stopped after {_MOST_REDIRECTS} redirects'
    if status in check.good:
        return Result.SUCCESS, body
    return Result.FAILURE, f"HTTP probe failed with statuscode: {status}"


def _get(url: str, check: HttpCheck) -> tuple[int, str, str]:
    """The status, where it redirects to, and the beginning of the body."""
    parts = urllib.parse.urlsplit(url)
    connect = _CONNECTIONS.get(parts.scheme)
    if connect is None or not parts.hostname:
        raise ValueError(f'unsupported protocol scheme "{parts.scheme}"')
    connection = connect(parts.hostname, parts.port, _seconds(check.timeout))
    try:
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        given = {name.lower(): (name, value) for name, value in check.headers}
        wanted = {**_DEFAULT_HEADERS, **given}
        host = wanted.pop("host", ("Host", parts.netloc))[1]
        connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        for name, value in wanted.values():
            if value:
                connection.putheader(name, value)
        connection.putheader("Connection", "close")
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read(LARGEST_ANSWER).decode("utf-8", "replace")
        return answer.status, answer.headers.get("Location", ""), body
    finally:
        connection.close()


def _seconds(timeout: float) -> float | None:
    """The timeout as sockets take it: they know no infinity."""
    return timeout if timeout < float("inf") else None


def _plain(host: str, port: int | None, timeout: float | None) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _encrypted(host: str, port: int | None, timeout: float | None) -> http.client.HTTPConnection:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as the kubelet does: a probe asks whether it lives, not who it is
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


_CONNECTIONS: dict[str, Callable[[str, int | None, float | None], http.client.HTTPConnection]] = {
    "http": _plain,
    "https": _encrypted,
}


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
