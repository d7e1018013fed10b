"""Answers load balancers that ask whether this machine has endpoints of a Service, for each at a port of its own."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Mapping

from aiohttp import web

from podward.api.json_value import JsonObject
from podward.client.events import Recorder
from podward.node.log import Log
from podward.policy.proxy import health
from podward.policy.proxy.health import HealthCheck, Name

_ANYWHERE = "0.0.0.0"  # noqa: S104 - load balancers ask at any address of the machine
_REASON = "FailedToStartServiceHealthcheck"
_BACKLOG = 128
_TURNS = 5
"""Turns of the loop after which a connection that was accepted is among those that a server closes."""


class HealthChecks:
    """Serves what there is to answer."""

    def __init__(self, node: str, healthy: Callable[[], bool], recorder: Recorder, log: Log) -> None:
        """`healthy` says whether the rules of Services are what they should be."""
        self._node = node
        self._healthy = healthy
        self._recorder = recorder
        self._log = log
        self._checks: Mapping[Name, HealthCheck] = {}
        self._servers: dict[Name, tuple[socket.socket, web.ServerRunner]] = {}

    async def sync(self, checks: Mapping[Name, HealthCheck]) -> None:
        """Answer this from now on. A port that is taken is told of, and tried again the next time."""
        self._checks = checks
        for name, (listening, _) in tuple(self._servers.items()):
            if name not in checks or checks[name].port != listening.getsockname()[1]:
                await self._end(name)
        for name, check in checks.items():
            if name not in self._servers:
                await self._begin(name, check.port)

    async def close(self) -> None:
        """Answer no more."""
        for name in tuple(self._servers):
            await self._end(name)

    async def _begin(self, name: Name, port: int) -> None:
        async def answered(_request: web.BaseRequest) -> web.Response:
            check = self._checks.get(name, HealthCheck(port))
            said = health.answer(name, check.endpoints, healthy=self._healthy())
            return web.Response(status=said.code, headers=said.headers, body=said.body.encode())

        server = web.Server(answered, access_log=None, logger=_silent())
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        try:
            listening = socket.create_server((_ANYWHERE, port), backlog=_BACKLOG)
        except OSError as error:
            await runner.cleanup()
            self._tell(name, port, error)
            return
        await web.SockSite(runner, listening).start()
        self._servers[name] = listening, runner

    async def _end(self, name: Name) -> None:
        listening, runner = self._servers.pop(name)
        # A server that is closed while it accepts somebody forgets him (asyncio of Python 3.11), who then waits.
        asyncio.get_running_loop().remove_reader(listening)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await runner.cleanup()

    def _tell(self, name: Name, port: int, error: OSError) -> None:
        taken = error.errno == errno.EADDRINUSE
        why = "address already in use" if taken else str(error.strerror).lower()
        message = (
            f'node {self._node} failed to start healthcheck "{name[0]}/{name[1]}" on port {port}:'
            f" listen tcp4 {_ANYWHERE}:{port}: bind: {why}"
        )
        about: JsonObject = {"namespace": name[0], "name": name[1]}
        service: JsonObject = {"apiVersion": "v1", "kind": "Service", "metadata": about}
        self._recorder.event(service, "Warning", _REASON, message)
        self._log.failed(message)


def _silent() -> logging.Logger:
    """Aiohttp's own words about connections: they show what clients send."""
    made = logging.Logger("podward.node.health")  # noqa: LOG001 - of no tree, so that nobody turns it on
    made.disabled = True
    return made
