"""Exec, Attach and PortForward: their URLs, and how the server behind these reaches into containers.

A URL is given where what it leads to runs. What happens there is done by a worker, which gives its descriptors away.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    AttachRequest,
    AttachResponse,
    ExecRequest,
    ExecResponse,
    PortForwardRequest,
    PortForwardResponse,
)
from podward.errors import RuntimeFailedError
from podward.runtime.service import container_status, sandboxes, verbs
from podward.runtime.service.container_streams import ConnectRequest
from podward.runtime.service.execs import ExecAnswer
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.streaming import attached
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.streaming.sessions import DescriptorSession, Exit, Session, TerminalSession
from podward.runtime.workers.client import Call, EngineClient


class Urls:
    """Gives them."""

    def __init__(self, service: RuntimeService, server: StreamingServer) -> None:
        self._service = service
        self._server = server

    async def exec(self, request: ExecRequest) -> ExecResponse | CriRefusal:
        """Exec."""
        if not request.cmd:
            return CriRefusal(CriCode.INVALID_ARGUMENT, "there is no command to execute")
        record = container_status.running(self._service, request.container_id)
        if isinstance(record, CriRefusal):
            return record
        url = self._server.exec_url(request)
        return url if isinstance(url, CriRefusal) else ExecResponse(url)

    async def attach(self, request: AttachRequest) -> AttachResponse | CriRefusal:
        """Attach."""
        record = container_status.running(self._service, request.container_id)
        if isinstance(record, CriRefusal):
            return record
        url = self._server.attach_url(request)
        return url if isinstance(url, CriRefusal) else AttachResponse(url)

    async def port_forward(self, request: PortForwardRequest) -> PortForwardResponse | CriRefusal:
        """PortForward."""
        record = sandboxes.find(self._service, request.pod_sandbox_id)
        if isinstance(record, CriRefusal):
            return record
        if not sandboxes.is_ready(record):
            return CriRefusal(CriCode.FAILED_PRECONDITION, f"sandbox {record.id} is not running")
        url = self._server.port_forward_url(request)
        return url if isinstance(url, CriRefusal) else PortForwardResponse(url)


class Provider:
    """What the streams' server asks of the engine."""

    def __init__(self, engine: EngineClient[RuntimeService]) -> None:
        self._engine = engine

    async def exec(self, request: ExecRequest) -> Session:
        """Run a command in a container."""
        call = await self._engine.open(verbs.EXEC, request)
        try:
            answer = await call.answer()
        except BaseException:
            call.close()
            raise
        if isinstance(answer, CriRefusal):
            call.close()
            raise RuntimeFailedError(answer.message)
        return _session(call, answer)

    async def attach(self, request: AttachRequest) -> Session:
        """Attach to a container."""
        answer = await self._engine.call(verbs.ATTACH, request)
        if isinstance(answer, CriRefusal):
            raise RuntimeFailedError(answer.message)
        return await attached.attach(answer.directory, stdin_once=answer.stdin_once, tty=answer.terminal)

    async def connect(self, sandbox: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to a port of a Pod."""
        async with await self._engine.open(verbs.CONNECT, ConnectRequest(sandbox, port)) as call:
            answer = await call.answer()
            if isinstance(answer, CriRefusal):
                raise RuntimeFailedError(answer.message)
            connection = socket.socket(fileno=call.descriptors.pop())
        try:
            connection.setblocking(False)
            return await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise


def _session(call: Call[ExecAnswer], answer: ExecAnswer) -> Session:
    given = dict(zip(answer.streams, call.descriptors, strict=True))
    call.descriptors.clear()
    return _OnTerminal(call, given["terminal"]) if "terminal" in given else _OnPipes(call, given)


async def _end(call: Call[ExecAnswer]) -> Exit:
    """The end of a program, which its worker tells."""
    answer = await call.answer()
    return Exit(failure=answer.message) if isinstance(answer, CriRefusal) else Exit(answer.exit_code)


class _OnPipes(DescriptorSession):
    """A program on pipes: whoever closes the session does not wait for its end any more."""

    def __init__(self, call: Call[ExecAnswer], given: dict[str, int]) -> None:
        stdin, stdout, stderr = (given.get(name, -1) for name in ("stdin", "stdout", "stderr"))
        super().__init__(partial(_end, call), stdin=stdin, stdout=stdout, stderr=stderr)
        self._call = call

    def close(self) -> None:
        """Give up all descriptors."""
        super().close()
        self._call.close()


class _OnTerminal(TerminalSession):
    """A program on a terminal."""

    def __init__(self, call: Call[ExecAnswer], terminal: int) -> None:
        super().__init__(partial(_end, call), terminal)
        self._call = call

    def close(self) -> None:
        """Hang up."""
        super().close()
        self._call.close()
