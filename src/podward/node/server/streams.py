"""Where the streams of containers are served, and their figures: by our own runtime, or by one behind a socket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, Protocol

from podward.api import cri_stats_requests
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    AttachRequest,
    AttachResponse,
    ExecRequest,
    ExecResponse,
    PortForwardRequest,
    PortForwardResponse,
)
from podward.api.cri_stats import PodSandboxStats
from podward.node.runtime import Runtime
from podward.runtime.service.figures import Figures
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.stream_urls import Provider, Urls
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.workers.calls import Verb
from podward.runtime.workers.client import EngineClient


def _elsewhere(_service: RuntimeService, *_: object) -> NoReturn:
    raise NotImplementedError


_EXEC = Verb("Exec", ExecRequest, ExecResponse, _elsewhere)
_ATTACH = Verb("Attach", AttachRequest, AttachResponse, _elsewhere)
_PORT_FORWARD = Verb("PortForward", PortForwardRequest, PortForwardResponse, _elsewhere)
_STATS = Verb(
    "ListPodSandboxStats",
    cri_stats_requests.ListPodSandboxStatsRequest,
    cri_stats_requests.ListPodSandboxStatsResponse,
    _elsewhere,
)
"""Verbs that only a runtime behind a socket is asked for: in our own process they are no verbs of the engine."""


class Streams(Protocol):
    """Who serves them; `only_spdy`: nothing newer than that, and WebSockets as they were before version 5."""

    only_spdy: bool

    async def start(self) -> None:
        """Begin. Raises OSError."""

    async def stop(self) -> None:
        """End every connection."""

    async def exec(self, request: ExecRequest) -> ExecResponse | CriRefusal:
        """Where the streams of a command are served."""

    async def attach(self, request: AttachRequest) -> AttachResponse | CriRefusal:
        """Where the streams of a container are served."""

    async def port_forward(self, request: PortForwardRequest) -> PortForwardResponse | CriRefusal:
        """Where the ports of a Pod are served."""

    async def figures(self) -> Sequence[PodSandboxStats]:
        """What the Pods use."""


class OwnStreams:
    """Our own runtime: its URLs lead to a server of this process, on the loopback device."""

    only_spdy = False

    def __init__(self, service: RuntimeService, engine: EngineClient[RuntimeService]) -> None:
        self._server = StreamingServer(Provider(engine))
        self._urls = Urls(service, self._server)
        self._figures = Figures(service)
        self.exec, self.attach, self.port_forward = self._urls.exec, self._urls.attach, self._urls.port_forward

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def stop(self) -> None:
        """End every connection."""
        await self._server.stop()
        self._figures.close()

    async def figures(self) -> Sequence[PodSandboxStats]:
        """What the Pods use."""
        answer = await self._figures.list_sandbox_stats(cri_stats_requests.ListPodSandboxStatsRequest())
        return answer.stats


class RemoteStreams:
    """A runtime behind a socket: it tells where it serves them."""

    only_spdy = True

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def start(self) -> None:
        """Nothing is ours."""

    async def stop(self) -> None:
        """Nothing is ours."""

    async def exec(self, request: ExecRequest) -> ExecResponse | CriRefusal:
        """Where the streams of a command are served."""
        return await self._runtime.call(_EXEC, request)

    async def attach(self, request: AttachRequest) -> AttachResponse | CriRefusal:
        """Where the streams of a container are served."""
        return await self._runtime.call(_ATTACH, request)

    async def port_forward(self, request: PortForwardRequest) -> PortForwardResponse | CriRefusal:
        """Where the ports of a Pod are served."""
        return await self._runtime.call(_PORT_FORWARD, request)

    async def figures(self) -> Sequence[PodSandboxStats]:
        """What the Pods use."""
        answer = await self._runtime.call(_STATS, cri_stats_requests.ListPodSandboxStatsRequest())
        return () if isinstance(answer, CriRefusal) else answer.stats
