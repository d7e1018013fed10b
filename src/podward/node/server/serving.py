"""The server of a node: who may do what, and who serves it. It listens by HTTPS alone.

Specification: Kubernetes, pkg/kubelet/server/server.go (paths, filters and their words).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.node.server import commands, figures, identities, logs, resource_metrics, summary
from podward.node.server.callers import Unanswered
from podward.node.server.host import Host
from podward.policy.kubelet import container_rows

if TYPE_CHECKING:
    from podward.node.server.callers import Callers

_MOST_CONNECTIONS = 2000
_SECONDS_TO_END = 0.5
_PATIENCE = 32.0
_KEPT = 30.0
Handle: TypeAlias = Callable[[Host, web.Request], Awaitable[web.StreamResponse]]

_IN_CONTAINER = ("/{namespace}/{pod}/{container}", "/{namespace}/{pod}/{uid}/{container}")
_IN_POD = ("/{namespace}/{pod}", "/{namespace}/{pod}/{uid}")
_STREAMED = ("GET", "POST")


async def _healthy(_host: Host, _request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _pods(host: Host, _request: web.Request) -> web.Response:
    items: list[Json] = [*host.pods()]
    return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items})


async def _running_pods(host: Host, _request: web.Request) -> web.Response:
    """Those that have a sandbox, with the containers that run, without what only their definition says."""
    items: list[Json] = [
        {"metadata": _identity(pod), "spec": _images(pod), "status": {}} for pod in host.pods() if _has_sandbox(pod)
    ]
    return _json({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items or None})


def _has_sandbox(pod: JsonObject) -> bool:
    conditions = objects(member(pod, "status"), "conditions")
    return any(row.get("type") == "PodReadyToStartContainers" and row.get("status") == "True" for row in conditions)


def _identity(pod: JsonObject) -> JsonObject:
    metadata = member(pod, "metadata")
    return {name: metadata[name] for name in ("name", "namespace", "uid") if name in metadata}


def _images(pod: JsonObject) -> JsonObject:
    kept: list[Json] = [
        {"name": row.get("name"), "image": row.get("image"), "resources": {}} for row in container_rows.running(pod)
    ]
    return {"containers": kept or None}


def _json(document: JsonObject) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")


ROUTES: tuple[tuple[tuple[str, ...], tuple[str, ...], Handle], ...] = (
    (("GET",), ("/healthz", "/healthz/ping", "/healthz/log", "/healthz/syncloop"), _healthy),
    (("GET",), ("/pods", "/pods/"), _pods),
    (("GET",), ("/runningpods", "/runningpods/"), _running_pods),
    (("GET",), ("/containerLogs/{namespace}/{pod}/{container}",), logs.container_logs),
    (_STREAMED, tuple(f"/exec{place}" for place in _IN_CONTAINER), commands.exec_),
    (_STREAMED, tuple(f"/attach{place}" for place in _IN_CONTAINER), commands.attach),
    (_STREAMED, tuple(f"/portForward{place}" for place in _IN_POD), commands.port_forward),
    (("POST",), tuple(f"/run{place}" for place in _IN_CONTAINER), commands.run),
    (("GET",), ("/stats/summary",), summary.summary),
    (("GET",), ("/podward/identity/{namespace}/{pod}",), identities.of_pod),
    (("GET",), ("/metrics",), figures.own_metrics),
    (("GET",), ("/metrics/resource",), resource_metrics.resource_metrics),
    (("GET",), ("/metrics/cadvisor",), figures.container_metrics),
    (("GET",), ("/metrics/probes",), figures.nothing),
)
"""All that is served, but /configz: methods, paths, and by whom."""


class NodeServer:
    """Serves a node. `configuration` is what /configz tells."""

    def __init__(
        self, host: Host, callers: Callers, configuration: Mapping[str, Json],
        broke: Callable[[str, BaseException], None],
    ) -> None:  # fmt: skip
        """`broke` is told what was raised that nobody thought of."""
        self._host = host
        self._broke = broke
        self._callers = callers
        self._configuration: JsonObject = {"kubeletconfig": dict(configuration)}
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self._serving: set[asyncio.Future[web.StreamResponse]] = set()
        self._unheard: set[web.RequestHandler] = set()

    async def start(self, listener: socket.socket, tls: ssl.SSLContext) -> None:
        """Serve who connects there."""
        application = web.Application(middlewares=[self._checked])
        for methods, paths, handle in ROUTES:
            for method in methods:
                for path in paths:
                    application.router.add_route(method, path, partial(handle, self._host))
        application.router.add_route("GET", "/configz", self._configz)
        runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=0.1,
            handler_cancellation=True,
            logger=_silent(),
            keepalive_timeout=_KEPT,
        )
        await runner.setup()
        self._runner = runner
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(self._accepted, sock=listener, ssl=tls)

    async def close(self) -> None:
        """End every connection. What runs in containers goes on."""
        if self._listener is not None:
            self._listener.close()
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving, timeout=_SECONDS_TO_END)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _accepted(self) -> asyncio.Protocol:
        server = self._runner.server if self._runner is not None else None
        if server is None or len(server.connections) >= _MOST_CONNECTIONS:
            return _Refused()
        handler: web.RequestHandler = server()
        self._unheard.add(handler)
        asyncio.get_running_loop().call_later(_PATIENCE, self._give_up, handler)
        return handler

    def _give_up(self, handler: web.RequestHandler) -> None:
        """Let go who has asked for nothing: aiohttp would wait for ever."""
        if handler in self._unheard:
            self._unheard.discard(handler)
            handler.force_close()

    @web.middleware
    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who may, and know which connections there are."""
        self._unheard.discard(request.protocol)
        refused = await self._refused(request)
        if refused is not None:
            return refused
        task = asyncio.ensure_future(handler(request))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            return await task
        except web.HTTPNotFound:
            return web.Response(status=404, text="404: Page Not Found")
        except web.HTTPException:
            raise
        except ConnectionError:
            return web.Response(status=499)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is not told
            self._broke(f"a request to {request.path[:80]}", error)
            return web.Response(status=500, text="internal error")
        finally:
            task.cancel()

    async def _refused(self, request: web.Request) -> web.Response | None:
        tls = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        user = await self._callers.user(certificate, request.headers.get("Authorization", ""))
        if user is None:
            return web.Response(status=401, text="Unauthorized")
        try:
            allowed = await self._callers.may(user, request.method, request.path)
        except Unanswered as error:
            self._broke("the API server was asked for a right of a caller", error)
            return web.Response(status=500, text=f"Authorization error (user={user.username})")
        return None if allowed else web.Response(status=403, text=f"Forbidden (user={user.username}, resource=nodes)\n")

    async def _configz(self, _request: web.Request) -> web.Response:
        return _json(self._configuration)


def _silent() -> logging.Logger:
    """Aiohttp's own words about connections: they show what clients send."""
    made = logging.Logger("podward.node.server")  # noqa: LOG001 - of no tree, so that nobody turns it on
    made.disabled = True
    return made


class _Refused(asyncio.Protocol):
    """The protocol of a connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it go."""
        transport.close()
