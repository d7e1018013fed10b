"""The runtime in our own process: what only reads is read here, what changes something is done by a worker.

A verb that changes something goes on when who asked for it is cancelled, as in the CRI service; but for pulls and
commands, which end with their callers. Where a worker was killed, what it was at is finished.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    RuntimeConfigRequest,
    RuntimeConfigResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from podward.api.cri_status import ContainerFilter
from podward.errors import NodeError
from podward.node.runtime import Heard
from podward.policy.kubelet import cri_names
from podward.runtime.service import container_status, sandboxes, verbs
from podward.runtime.service.container_ending import SettleRequest
from podward.runtime.service.exits import ExitWatch
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.recovery import RecoverRequest
from podward.runtime.service.runtime_info import RuntimeInfo
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Verb
from podward.runtime.workers.client import WORKER_DIED, EngineClient

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

_READ = frozenset(
    verb.name
    for verb in (
        verbs.POD_SANDBOX_STATUS,
        verbs.LIST_POD_SANDBOX,
        verbs.CONTAINER_STATUS,
        verbs.LIST_CONTAINERS,
        verbs.IMAGE_STATUS,
        verbs.LIST_IMAGES,
        verbs.IMAGE_FS_INFO,
    )
)
_OF_CALLERS = frozenset((verbs.EXEC_SYNC.name, verbs.PULL_IMAGE.name))
_MAKING = frozenset((verbs.RUN_POD_SANDBOX.name, verbs.CREATE_CONTAINER.name, verbs.START_CONTAINER.name))
_AT_ONCE = 16
"""Verbs that make something, at a time: more would only slow each other down."""
_ENDED = frozenset((ContainerPhase.EXITED.value, "SANDBOX_NOTREADY"))
_LOOK_AGAIN = 5.0
_GRACE = 5.0


class OwnRuntime:
    """The verbs of the engine that this process has forked."""

    def __init__(self, service: RuntimeService, engine: EngineClient[RuntimeService], *, user_namespaces: bool) -> None:
        info = RuntimeInfo(service, user_namespaces=user_namespaces)
        self._service = service
        self._engine = engine
        self._info = info
        self._nobody = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._making = asyncio.Semaphore(_AT_ONCE)
        self._at_work: set[asyncio.Task[Any]] = set()
        self._watch: ExitWatch | None = None
        self._looking: asyncio.Task[None] | None = None
        self._heard: Heard = lambda _: None

    async def start(self, heard: Heard) -> None:
        """Bring everything to its true state, then listen for containers' ends. Raises NodeError where that fails."""
        self._heard = heard
        busy = await self._recover()
        self._watch = ExitWatch(self._service.records.exits, self._ended)
        self._looking = asyncio.create_task(self._look_for_ever())
        if busy:
            self._go_on(self._recover_later())

    async def close(self) -> None:
        """Let what is at work come to its end for a while; a worker that takes longer goes on by itself."""
        if self._looking is not None:
            self._looking.cancel()
        if self._watch is not None:
            self._watch.close()
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=_GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for end in self._nobody:
            end.close()

    async def call(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Have a verb done."""
        if verb.name in _READ:
            return self._read(verb, request)
        if verb.name in _OF_CALLERS:
            return await self._engine.call(verb, request)
        return await asyncio.shield(self._go_on(self._changing(verb, request)))

    async def version(self, request: VersionRequest) -> VersionResponse | CriRefusal:
        """Version."""
        return await self._info.version(request)

    async def status(self, request: StatusRequest) -> StatusResponse | CriRefusal:
        """Status."""
        return await self._info.status(request)

    async def configuration(self, request: RuntimeConfigRequest) -> RuntimeConfigResponse | CriRefusal:
        """RuntimeConfig."""
        return await self._info.runtime_config(request)

    def _read(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        answer = verb.do(self._service, request, Caller(self._nobody[0]))
        if not isinstance(answer, verb.result | CriRefusal):
            raise TypeError(f"{verb.name} answers several times")
        return answer

    async def _changing(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        if verb.name in _MAKING:
            async with self._making:
                answer = await self._engine.call(verb, request)
        else:
            answer = await self._engine.call(verb, request)
        if answer is WORKER_DIED:
            await self._engine.call(verbs.SETTLE_INTERRUPTED, RecoverRequest())
        return answer

    def _ended(self, container: str) -> None:
        """A monitor has written an exit code: what the container leaves behind is ended, and whoever waits hears."""
        record = self._service.records.read(ContainerRecord, container)
        uid = record.config.labels.get(cri_names.POD_UID, "") if record is not None else ""
        self._go_on(self._settle(container, uid))
        self._heard(uid)

    async def _settle(self, container: str, uid: str) -> None:
        await self._engine.call(verbs.SETTLE_CONTAINER, SettleRequest(container))
        self._heard(uid)

    async def _look_for_ever(self) -> None:
        """Find what no monitor tells: one may have been killed, or a sandbox's own process."""
        known = self._states()
        while True:
            await asyncio.sleep(_LOOK_AGAIN)
            found = self._states()
            for key, state in found.items():
                if state in _ENDED and known.get(key) != state:
                    self._go_on(self._settle(*key))
            known = found

    def _states(self) -> dict[tuple[str, str], str]:
        """The states of all containers and sandboxes, by their ids and their Pods' uids."""
        containers = container_status.every(self._service, ContainerFilter())
        found = {(each.id, each.config.labels.get(cri_names.POD_UID, "")): each.phase.value for each in containers}
        for sandbox in self._service.records.every(SandboxRecord):
            key = sandbox.id, sandbox.config.labels.get(cri_names.POD_UID, "")
            found[key] = sandboxes.state_of(sandbox)
        return found

    async def _recover(self) -> tuple[str, ...]:
        answer = await self._engine.call(verbs.RECOVER, RecoverRequest())
        if isinstance(answer, CriRefusal):
            raise NodeError(f"what an earlier node left cannot be looked at: {answer.message}")
        return answer.busy

    async def _recover_later(self) -> None:
        """Look again until the workers of an earlier node have come to their ends."""
        busy = True
        while busy:
            await asyncio.sleep(_LOOK_AGAIN)
            busy = bool(await self._recover())
            self._heard("")

    def _go_on(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Do it whatever becomes of who asks for it."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task
