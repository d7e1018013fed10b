"""The server behind the URLs of Exec, Attach and PortForward: on this machine only, one token for one connection.

Specification (Kubernetes, k8s.io/cri-streaming `server`, in our words): GET and POST of /exec/TOKEN, /attach/TOKEN and
/portforward/TOKEN; 404 for a token that is unknown, used, too old or of another kind of request. What is asked for is
decided by the gRPC request, and nothing in the client's request can change it.
"""

from __future__ import annotations

import asyncio
import ipaddress
from functools import partial
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import AttachRequest, ExecRequest, PortForwardRequest
from podward.errors import UsageError
from podward.runtime.streaming.command_clients import serve_command
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.port_forward import serve_port_forward
from podward.runtime.streaming.remote_command import Asked
from podward.runtime.streaming.sessions import Session
from podward.runtime.streaming.tokens import Tokens

_MOST_CONNECTIONS = 2000
_SECONDS_TO_ASK = 10.0
_SECONDS_TO_END = 0.5


class Provider(Protocol):
    """Who reaches into containers. Each raises PodwardError where it cannot."""

    async def exec(self, request: ExecRequest) -> Session:
        """Run a command in a container."""

    async def attach(self, request: AttachRequest) -> Session:
        """Attach to a container."""

    async def connect(self, sandbox: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of a Pod, on the Pod's own localhost."""


class StreamingServer:
    """Serves streams of `provider`; `host` is an address of this machine's own, port 0 any."""

    def __init__(
        self, provider: Provider, *, host: str = "127.0.0.1", port: int = 0, patience: Patience | None = None
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise UsageError(
                "streams are served on this machine's own addresses only",
                where=host,
                advice="choose 127.0.0.1 or ::1",
            )
        self._provider = provider
        self._host = host
        self._port = port
        self._patience = patience or Patience()
        self._tokens: Tokens[ExecRequest | AttachRequest | PortForwardRequest] = Tokens(
            lambda: asyncio.get_running_loop().time()
        )
        self._runner: web.AppRunner | None = None
        self._base = ""
        self._listener: asyncio.Server | None = None
        self._serving: set[asyncio.Future[web.StreamResponse]] = set()

    async def start(self) -> None:
        """Listen. Raises OSError."""
        application = web.Application(middlewares=[self._counted])
        for method in ("GET", "POST"):
            application.router.add_route(method, "/exec/{token}", self._exec)
            application.router.add_route(method, "/attach/{token}", self._attach)
            application.router.add_route(method, "/portforward/{token}", self._port_forward)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, keepalive_timeout=_SECONDS_TO_ASK)
        await runner.setup()
        self._runner = runner
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._accepted, self._host, self._port)
        host, port = self._listener.sockets[0].getsockname()[:2]
        self._base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """End every connection. What runs in containers goes on."""
        if self._listener is not None:
            self._listener.close()
        for _ in range(2):  # the first time clients are told, and may take a moment to go
            for task in self._serving:
                task.cancel()
            if self._serving:
                await asyncio.wait(self._serving, timeout=_SECONDS_TO_END)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def connections(self) -> int:
        """How many clients are served."""
        return len(self._serving)

    def exec_url(self, request: ExecRequest) -> str | CriRefusal:
        """Where the client of this request connects to, or why it may not."""
        return _fault(request, "or") or self._url("exec", request)

    def attach_url(self, request: AttachRequest) -> str | CriRefusal:
        """Where the client of this request connects to, or why it may not."""
        return _fault(request, "and") or self._url("attach", request)

    def port_forward_url(self, request: PortForwardRequest) -> str | CriRefusal:
        """Where the client of this request connects to, or why it may not."""
        if not request.pod_sandbox_id:
            return CriRefusal(CriCode.INVALID_ARGUMENT, "missing required pod_sandbox_id")
        return self._url("portforward", request)

    def _url(self, kind: str, request: ExecRequest | AttachRequest | PortForwardRequest) -> str | CriRefusal:
        token = self._tokens.give(request)
        return token if isinstance(token, CriRefusal) else f"{self._base}/{kind}/{token}"

    def _accepted(self) -> asyncio.Protocol:
        """A new connection's protocol. Anybody on this machine may connect, so there is a bound."""
        server = self._runner.server if self._runner is not None else None
        if server is None or len(server.connections) >= _MOST_CONNECTIONS:
            return _Refused()
        return server()

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Know which connections there are."""
        task = asyncio.ensure_future(handler(request))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            return await task
        finally:
            task.cancel()

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        asked = self._tokens.take(request.match_info["token"])
        if not isinstance(asked, ExecRequest):
            return _not_found()
        begin = partial(self._provider.exec, asked)
        return await serve_command(request, _asked(asked, asked.cmd), begin, self._patience)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        asked = self._tokens.take(request.match_info["token"])
        if not isinstance(asked, AttachRequest):
            return _not_found()
        begin = partial(self._provider.attach, asked)
        return await serve_command(request, _asked(asked), begin, self._patience)

    async def _port_forward(self, request: web.Request) -> web.StreamResponse:
        asked = self._tokens.take(request.match_info["token"])
        if not isinstance(asked, PortForwardRequest):
            return _not_found()
        sandbox = asked.pod_sandbox_id
        connect = partial(self._provider.connect, sandbox)
        return await serve_port_forward(request, f"{sandbox}, uid ", asked.port, connect, self._patience)


class _Refused(asyncio.Protocol):
    """The protocol of a connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it go."""
        transport.close()


def _fault(request: ExecRequest | AttachRequest, conjunction: str) -> CriRefusal | None:
    """What is wrong with it; the two kinds' sentences differ in a word."""
    if not request.container_id:
        return CriRefusal(CriCode.INVALID_ARGUMENT, "missing required container_id")
    if request.tty and request.stderr:
        return CriRefusal(CriCode.INVALID_ARGUMENT, "tty and stderr cannot both be true")
    if not (request.stdin or request.stdout or request.stderr):
        message = f"one of stdin, stdout, {conjunction} stderr must be set"
        return CriRefusal(CriCode.INVALID_ARGUMENT, message)
    return None


def _asked(request: ExecRequest | AttachRequest, command: tuple[str, ...] = ()) -> Asked:
    return Asked(request.stdin, request.stdout, request.stderr, request.tty, command)


def _not_found() -> web.Response:
    return web.Response(status=404, text="404 page not found\n")
