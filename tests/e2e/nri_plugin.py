"""A plugin of the Node Resource Interface for tests: it speaks ttrpc over the real socket, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from podward.api.nri import Message
from podward.cri.nri.messages import (
    PLUGIN,
    RUNTIME,
    ConfigureRequest,
    ConfigureResponse,
    ContainerRequest,
    Empty,
    PodRequest,
    RegisterPluginRequest,
    Request,
    Response,
    StateChangeEvent,
    Status,
    SynchronizeRequest,
    SynchronizeResponse,
    UpdateContainerRequest,
    UpdatePodSandboxRequest,
    ValidateRequest,
)
from podward.cri.nri.protobuf import decode, encode
from podward.cri.nri.ttrpc import Conn, Frame, Kind, Trunk, packed

REQUESTS: dict[str, type[Message]] = {
    "Configure": ConfigureRequest,
    "Synchronize": SynchronizeRequest,
    "RunPodSandbox": PodRequest,
    "StopPodSandbox": PodRequest,
    "RemovePodSandbox": PodRequest,
    "UpdatePodSandbox": UpdatePodSandboxRequest,
    "CreateContainer": ContainerRequest,
    "PostCreateContainer": ContainerRequest,
    "StartContainer": ContainerRequest,
    "PostStartContainer": ContainerRequest,
    "PostUpdateContainer": ContainerRequest,
    "StopContainer": ContainerRequest,
    "RemoveContainer": ContainerRequest,
    "UpdateContainer": UpdateContainerRequest,
    "StateChange": StateChangeEvent,
    "ValidateContainerAdjustment": ValidateRequest,
}
ANSWERS: dict[str, Message] = {
    "Configure": ConfigureResponse(),
    "Synchronize": SynchronizeResponse(),
}


class Refuses(Exception):  # noqa: N818 - a plugin's answer
    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


Answer = Callable[[Message], Message | Awaitable[Message]]


class PythonPlugin:
    """A plugin that notes what it is told. `answers` are its answers by method; it says nothing in the others."""

    def __init__(self, path: str, name: str = "00-test", **answers: Answer) -> None:
        self.path = path
        self._index, self._name = name.split("-", 1)
        self._answers = answers
        self.heard: list[tuple[str, Message]] = []
        self.ready = asyncio.Event()
        self.told = asyncio.Event()
        self.closed = asyncio.Event()
        self._calls: dict[int, asyncio.Future[bytes]] = {}
        self._next = 1
        self._serving: list[asyncio.Task[None]] = []

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.heard]

    async def connect(self) -> None:
        """Connect and register; ready when it has been told what there is."""
        self._reader, self.writer = await asyncio.open_unix_connection(self.path)
        self.reading = asyncio.create_task(self._read())
        await self.call("RegisterPlugin", RegisterPluginRequest(self._name, self._index, "v0"))
        await asyncio.wait_for(self.ready.wait(), 10)
        await asyncio.sleep(0.02)  # the answer is on its way

    async def call(self, method: str, request: Message) -> bytes:
        """Call the runtime."""
        number, self._next = self._next, self._next + 2
        self._calls[number] = asyncio.get_running_loop().create_future()
        payload = encode(Request(RUNTIME, method, encode(request)))
        self.writer.write(packed(Frame(Conn.RUNTIME, number, Kind.REQUEST, payload)))
        response = decode(Response, await asyncio.wait_for(self._calls[number], 10))
        if response.status is not None and response.status.code:
            raise Refuses(response.status.message, response.status.code)
        return response.payload

    async def _read(self) -> None:
        trunk = Trunk()
        with suppress(ConnectionError):
            while data := await self._reader.read(1 << 16):
                for frame in trunk.feed(data):
                    if frame.kind is Kind.RESPONSE:
                        self._calls.pop(frame.call).set_result(frame.payload)
                    else:
                        self._serving.append(asyncio.create_task(self._serve(frame)))
        self.closed.set()

    async def end(self) -> None:
        """Whatever it does, it does no more."""
        for task in (self.reading, *self._serving):
            task.cancel()
        await asyncio.wait({self.reading, *self._serving})
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def _serve(self, frame: Frame) -> None:
        request = decode(Request, frame.payload)
        assert request.service == PLUGIN
        message = decode(REQUESTS[request.method], request.payload)
        self.heard.append((request.method, message))
        if request.method == "Synchronize":
            self.told.set()
        try:
            response = Response(Status(), encode(await self._answer(request.method, message)))
        except Refuses as refusal:
            response = Response(Status(refusal.code, str(refusal)))
        self.writer.write(packed(Frame(Conn.PLUGIN, frame.call, Kind.RESPONSE, encode(response))))
        if request.method == "Synchronize" and not (isinstance(message, SynchronizeRequest) and message.more):
            self.ready.set()

    async def _answer(self, method: str, message: Message) -> Message:
        if method not in self._answers:
            return ANSWERS.get(method, Empty())
        answer = self._answers[method](message)
        return answer if isinstance(answer, Message) else await answer
