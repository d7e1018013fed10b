"""What a probe or a hook asks over the network: an HTTP GET, or a TCP connection. Runs in a process of its own.

Specification (kubelet `probe/http`, `probe/tcp`, in our words): a GET succeeds with a status from 200 to 399. Redirects
(301, 302, 303, 307, 308) on the same host are followed, at most ten; one to another host ends there. An end at a
redirect is a success with a warning. Any answer satisfies a hook. Certificates are not checked. No proxy is used.
Headers that the manifest gives replace `User-Agent: kube-probe/VERSION` (of a hook: `kube-lifecycle/VERSION`) and
`Accept: */*`; an empty value removes one. Of the answer at most 10 KiB are read. A connection that is accepted is all
that a TCP probe wants. A host that is named is reached from the node, as the kubelet reaches it.

A server that answers by drops can hold a check up for longer than its timeout, which is one of each step: who runs
one in a thread ends it with its `Guard`.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import urllib.parse

from msgspec import Struct

from podward.api.core import Container, HTTPGetAction, TCPSocketAction
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.policy.kubelet.probes import Result

LARGEST_ANSWER = 10 * 1024
_MOST_REDIRECTS = 10
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_REDIRECTED = range(300, 400)
PROBE, LIFECYCLE = "probe", "lifecycle"
"""What a check is for."""
_GOOD = {PROBE: range(200, 400), LIFECYCLE: range(100, 1000)}
"""The statuses that satisfy who asks."""


class Guard:
    """Ends a check that runs in another thread: whatever it waits for, it gets nothing more."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._over = False

    def watch(self, opened: socket.socket) -> None:
        """The check has opened this connection."""
        self._sockets.append(opened.dup())
        if self._over:
            self.end()

    def end(self) -> None:
        """End the check."""
        self._over = True
        for opened in tuple(self._sockets):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The check is over."""
        while self._sockets:
            self._sockets.pop().close()


class HttpCheck(Struct, frozen=True):
    """A GET. A `timeout` of infinity is none."""

    scheme: str
    host: str
    port: int
    path: str
    headers: tuple[tuple[str, str], ...]
    timeout: float
    purpose: str = PROBE

    @property
    def url(self) -> str:
        """The address that is asked."""
        path = self.path if self.path.startswith("/") else f"/{self.path}"
        return f"{self.scheme.lower()}://{_joined(self.host, self.port)}{path}"


class TcpCheck(Struct, frozen=True):
    """A connection, with the same `timeout`."""

    host: str
    port: int
    timeout: float


class Asked(Struct, frozen=True):
    """Who asks, for what: the container, the address of its Pod, the seconds that there are, and the purpose."""

    container: Container
    address: str
    timeout: float
    purpose: str = PROBE


def check_of(action: HTTPGetAction | TCPSocketAction, asked: Asked) -> HttpCheck | TcpCheck | str:
    """The check that the manifest asks for; or what is wrong with its port."""
    port = _port(asked.container, action.port)
    if isinstance(port, str):
        return port
    host = action.host or asked.address
    if isinstance(action, TCPSocketAction):
        return TcpCheck(host, port, asked.timeout)
    headers = tuple((header.name, header.value) for header in action.http_headers or ())
    scheme, path = action.scheme or "HTTP", action.path or "/"
    return HttpCheck(scheme, host, port, path, headers, asked.timeout, asked.purpose)


def _port(container: Container, port: int | str | None) -> int | str:
    """The number of a port that is given by number or by the name that the container declares; or what is wrong."""
    if isinstance(port, str):
        named = (p.container_port for p in container.ports or () if p.name == port)
        found = next(named, None)
        if found is None and not (port.isascii() and port.isdigit()):
            return f"strconv.Atoi: parsing {quote(port)}: invalid syntax"
        port = int(port) if found is None else found
    if port is None:
        return "intOrString had no kind"
    return port if 0 < port < 65536 else f"invalid port number: {port}"


def run(check: HttpCheck | TcpCheck, guard: Guard | None = None) -> tuple[Result, str]:
    """Ask; what came of it, and the words of the kubelet's event."""
    guard = Guard() if guard is None else guard
    try:
        if isinstance(check, TcpCheck):
            _dial(check.host, check.port, check.timeout, guard).close()
            return Result.SUCCESS, ""
        return _follow(check, guard)
    except OSError as error:
        return Result.FAILURE, str(error)
    finally:
        guard.close()


def _dial(host: str, port: int, timeout: float, guard: Guard) -> socket.socket:
    """A connection. Raises OSError with the words of Go."""
    try:
        opened = socket.create_connection((host, port), timeout=_seconds(timeout))
    except OSError as error:
        why = "i/o timeout" if isinstance(error, TimeoutError) else _reason(error)
        doing = "connect: " if isinstance(error, ConnectionError) else ""
        raise OSError(f"dial tcp {_joined(host, port)}: {doing}{why}") from error
    guard.watch(opened)
    return opened


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _follow(check: HttpCheck, guard: Guard) -> tuple[Result, str]:
    url = check.url
    for _ in range(_MOST_REDIRECTS):
        try:
            status, location, body = _get(url, check, guard)
            target = urllib.parse.urljoin(url, location) if location and status in _REDIRECTS else ""
            host = urllib.parse.urlsplit(target).hostname
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Result.FAILURE, f'Get "{url}": {_reason(error)}'
        if not target:
            break
        if host != urllib.parse.urlsplit(check.url).hostname:
            break
        url = target
    else:
        return Result.FAILURE, f'Get "{url}": stopped after {_MOST_REDIRECTS} redirects'
    if check.purpose == PROBE and status in _REDIRECTED:
        return Result.WARNING, f"Probe terminated redirects, Response body: {body}"
    if status in _GOOD[check.purpose]:
        return Result.SUCCESS, body
    return Result.FAILURE, f"HTTP probe failed with statuscode: {status}"


def _get(url: str, check: HttpCheck, guard: Guard) -> tuple[int, str, str]:
    """The status, where it redirects to, and the beginning of the body."""
    parts = urllib.parse.urlsplit(url)
    usual = _USUAL_PORTS.get(parts.scheme)
    if usual is None or not parts.hostname:
        raise ValueError(f'unsupported protocol scheme "{parts.scheme}"')
    connection = http.client.HTTPConnection(parts.hostname, parts.port or usual)
    connection.sock = opened = _dial(parts.hostname, parts.port or usual, check.timeout, guard)
    try:
        if parts.scheme == "https":
            connection.sock = opened = _encrypted(opened, parts.hostname)
        target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        given = {name.lower(): (name, value) for name, value in check.headers}
        usual_headers = {
            "user-agent": ("User-Agent", f"kube-{check.purpose}/{KUBERNETES}"),
            "accept": ("Accept", "*/*"),
        }
        wanted = {**usual_headers, **given}
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
        opened.close()


def _seconds(timeout: float) -> float | None:
    """The timeout as sockets take it: they know no infinity."""
    return timeout if timeout < float("inf") else None


_USUAL_PORTS = {"http": 80, "https": 443}
_IN_THE_CLEAR = "http: server gave HTTP response to HTTPS client"
_NO_TLS = "tls: first record does not look like a TLS handshake"


def _encrypted(opened: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # as the kubelet does: a probe asks whether it lives, not who it is
    with opened.dup() as rest:
        try:
            return context.wrap_socket(opened, server_hostname=host)
        except ssl.SSLError as error:
            if error.reason != "WRONG_VERSION_NUMBER":
                raise
            said = rest.recv(2)  # OpenSSL has taken the length of a record's header, as much as "HTTP/"
            raise OSError(_IN_THE_CLEAR if said == b"1." else _NO_TLS) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
