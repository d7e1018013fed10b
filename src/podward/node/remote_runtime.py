"""A CRI runtime behind a socket: containerd, CRI-O, `podward cri`, whatever speaks `runtime.v1`.

What happens there is heard over GetContainerEvents where the runtime has that; else everything is looked at again each
second, as a kubelet without events does.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, TypeVar

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # this process forks nothing once gRPC is there
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
import grpc.aio

from podward.api.cri import Message
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    GetEventsRequest,
    RuntimeConfigRequest,
    RuntimeConfigResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from podward.api.cri_status import ContainerEventResponse
from podward.node.runtime import Heard
from podward.runtime import cri_messages, cri_protocol
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

if TYPE_CHECKING:
    from podward.runtime.cri_protocol import Method

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
_LARGEST = 16 << 20
_USUAL, _LONG = 120.0, 24 * 3600.0
"""Seconds that a call may take: pulls, stops and commands have bounds of their own."""
_UNBOUNDED = frozenset(("PullImage", "StopContainer", "ExecSync"))
_EACH = 1.0
_CODES = {code.value: code for code in CriCode}


class RemoteRuntime:
    """A runtime that is asked over gRPC; `socket` is the path of its unix socket."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        options = [("grpc.max_receive_message_length", _LARGEST), ("grpc.max_send_message_length", _LARGEST)]
        self._channel = grpc.aio.insecure_channel(f"unix:{socket}", options=options)
        self._methods = {method.name: method for method in cri_protocol.load().methods.values()}
        self._listening: asyncio.Task[None] | None = None

    async def start(self, heard: Heard) -> None:
        """Begin to listen."""
        self._listening = asyncio.create_task(self._listen(heard))

    async def close(self) -> None:
        """Ask nothing more."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._channel.close()

    async def call(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Have a verb done."""
        return await self._ask(verb.name, request, verb.result)

    async def version(self, request: VersionRequest) -> VersionResponse | CriRefusal:
        """Version."""
        return await self._ask("Version", request, VersionResponse)

    async def status(self, request: StatusRequest) -> StatusResponse | CriRefusal:
        """Status."""
        return await self._ask("Status", request, StatusResponse)

    async def configuration(self, request: RuntimeConfigRequest) -> RuntimeConfigResponse | CriRefusal:
        """RuntimeConfig."""
        return await self._ask("RuntimeConfig", request, RuntimeConfigResponse)

    async def _ask(self, name: str, request: Message, kind: type[Response]) -> Response | CriRefusal:
        method = self._methods[name]
        ask: Any = self._channel.unary_unary(method.path)
        try:
            content: bytes = await ask(
                cri_messages.message(request).SerializeToString(), timeout=_LONG if name in _UNBOUNDED else _USUAL
            )
        except grpc.aio.AioRpcError as error:
            return _refusal(error)
        return cri_messages.typed(method.response.FromString(content), kind)

    async def _listen(self, heard: Heard) -> None:
        method = self._methods["GetContainerEvents"]
        while True:
            refusal = await self._events(method, heard)
            if refusal is CriCode.UNIMPLEMENTED:
                break
            await asyncio.sleep(_EACH)
            heard("")
        while True:
            await asyncio.sleep(_EACH)
            heard("")

    async def _events(self, method: Method, heard: Heard) -> CriCode:
        """Hear of events until there are no more; why."""
        ask: Any = self._channel.unary_stream(method.path)
        try:
            async for content in ask(cri_messages.message(GetEventsRequest()).SerializeToString()):
                event = cri_messages.typed(method.response.FromString(content), ContainerEventResponse)
                sandbox = event.pod_sandbox_status
                heard(sandbox.metadata.uid if sandbox is not None else "")
        except grpc.aio.AioRpcError as error:
            return _refusal(error).code
        return CriCode.UNAVAILABLE


def _refusal(error: grpc.aio.AioRpcError) -> CriRefusal:
    return CriRefusal(_CODES.get(error.code().name, CriCode.UNKNOWN), error.details() or error.code().name)
