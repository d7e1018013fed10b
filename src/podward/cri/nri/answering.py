"""What workers ask plugins in the middle of a verb (`podward.runtime.service.plugins`), answered by the front.

A container's end is told once, whoever hears of it first: the verb that stopped it, or the front that sees it end by
itself; and before its removal. What plugins change in other containers is done before the answer.
"""

from __future__ import annotations

import asyncio

import msgspec

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.nri import Container, ContainerUpdate, Event, PodSandbox, Resources
from podward.cri.log import Log
from podward.cri.nri.plugins import Runtime
from podward.cri.nri.service import GOES_ON, Nri
from podward.cri.unix_server import UnixServer, serve
from podward.runtime.service.plugins import Answer, Question

_LARGEST = 16 << 20
_IN_STEPS = frozenset((Event.RUN_POD_SANDBOX, Event.CREATE_CONTAINER, Event.POST_CREATE_CONTAINER))
"""What is asked by verbs that are steps as a whole (`served.STEPS`)."""


class Answering:
    """The socket that workers ask on. `ended` are the containers that have ended before."""

    def __init__(self, nri: Nri, runtime: Runtime, path: str, log: Log) -> None:
        self._nri = nri
        self._runtime = runtime
        self._path = path
        self._log = log
        self._ended: set[str] = set()
        self._server: UnixServer | None = None

    async def start(self, ended: set[str]) -> None:
        """Listen for workers. Raises NodeError."""
        self._ended = ended
        self._server = await serve(self._path, self._serve)

    async def close(self) -> None:
        """Listen no more; what is being answered is."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await reader.read(_LARGEST)
            while not reader.at_eof() and len(asked) < _LARGEST:
                asked += await reader.read(_LARGEST)
            answer = await self.answer(msgspec.json.decode(asked, type=Question))
            writer.write(msgspec.json.encode(answer))
            await writer.drain()
        except (OSError, msgspec.MsgspecError) as error:
            self._log.failed(f"a question to NRI plugins is not answered: {error}")
        finally:
            writer.close()

    async def answer(self, question: Question) -> Answer:
        """What plugins say."""
        if question.event in _IN_STEPS or question.undone:
            return await self._answer(question)
        async with self._nri.step():
            return await self._answer(question)

    async def _answer(self, question: Question) -> Answer:
        event, pod, container = question.event, question.pod, question.container
        if container is not None and event is Event.CREATE_CONTAINER:
            return await self._create(pod, container)
        if container is not None and event is Event.UPDATE_CONTAINER:
            return await self._update(pod, container, question.resources or Resources())
        refusal = await self._told(question)
        if refusal is not None and event in GOES_ON:
            self._log.failed(f"{refusal.message}; it is done all the same")
        return Answer(refusal)

    async def _told(self, question: Question) -> CriRefusal | None:
        event, pod, container = question.event, question.pod, question.container
        if event is Event.RUN_POD_SANDBOX:
            return await self._nri.run_pod_sandbox(pod)
        if event is Event.UPDATE_POD_SANDBOX:
            return await self._nri.update_pod_sandbox(pod, question.overhead, question.resources)
        if container is not None and event in (Event.STOP_CONTAINER, Event.REMOVE_CONTAINER):
            refusal = await self.ended(pod, container)
            if event is Event.STOP_CONTAINER:
                return refusal
            self._ended.discard(container.id)
        return await self._nri.tell(event, pod, container)

    async def ended(self, pod: PodSandbox, container: Container) -> CriRefusal | None:
        """A container has ended: told the first time."""
        if container.id in self._ended:
            return None
        self._ended.add(container.id)
        updates = await self._nri.stop_container(pod, container)
        return updates if isinstance(updates, CriRefusal) else await self._change(updates)

    async def _create(self, pod: PodSandbox, container: Container) -> Answer:
        created = await self._nri.create_container(pod, container)
        if isinstance(created, CriRefusal):
            return Answer(created)
        if (refusal := await self._change(created.updates)) is not None:
            await self._nri.undo_create_container(pod, container)
        return Answer(refusal, created.adjustments)

    async def _update(self, pod: PodSandbox, container: Container, asked: Resources) -> Answer:
        updates = await self._nri.update_container(pod, container, asked)
        if isinstance(updates, CriRefusal):
            return Answer(updates)
        own = next((u.linux.resources for u in updates if u.container_id == container.id and u.linux), None)
        others = tuple(update for update in updates if update.container_id != container.id)
        return Answer(await self._change(others), resources=own)

    async def _change(self, updates: tuple[ContainerUpdate, ...]) -> CriRefusal | None:
        """Do what plugins ask for in other containers."""
        failed = await self._runtime.update_containers(updates) if updates else ()
        if not failed:
            return None
        names = ", ".join(update.container_id[:100] for update in failed)
        return CriRefusal(CriCode.UNKNOWN, f"what NRI plugins change in other containers cannot be done: {names}")
