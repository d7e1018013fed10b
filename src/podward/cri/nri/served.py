"""The plugins of a service that is asked for NRI: what there is, from its records; what they change, by its engine."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from podward import __version__
from podward.api import nri
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import UpdateContainerResourcesRequest
from podward.cri.log import Log
from podward.cri.nri.answering import Answering
from podward.cri.nri.service import Nri
from podward.runtime.service.container_truth import LIVING, observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.plugins import SOCKET, asked_resources, container_view, pod_view, spec_of
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.verbs import UPDATE_FOR_PLUGINS
from podward.runtime.workers.client import EngineClient

STEPS = frozenset(("RunPodSandbox", "CreateContainer"))
"""The verbs that ask about what is seen only when they are done. A question of the others is a step by itself."""


class ServiceRuntime:
    """What the service knows and does for plugins."""

    name = "podward"
    version = __version__

    def __init__(self, service: RuntimeService, engine: EngineClient[RuntimeService], log: Log) -> None:
        self._service = service
        self._engine = engine
        self._log = log

    async def inventory(self) -> tuple[tuple[nri.PodSandbox, ...], tuple[nri.Container, ...]]:
        """All sandboxes that clients see, and all containers that have not ended."""
        records = self._service.records
        pods = tuple(pod_view(r) for r in records.every(SandboxRecord) if r.was_ready)
        living = [seen for seen in self.containers() if seen.phase in LIVING]
        return pods, tuple(container_view(seen, spec_of(records, seen)) for seen in living)

    def containers(self) -> list[ContainerRecord]:
        """All containers in their true state."""
        return [observe(self._service, record) for record in self._service.records.every(ContainerRecord)]

    async def update_containers(self, updates: tuple[nri.ContainerUpdate, ...]) -> tuple[nri.ContainerUpdate, ...]:
        """Give containers other resources. Answers the updates that failed and that may not."""
        failed: list[nri.ContainerUpdate] = []
        for update in updates:
            why = await self._update(update)
            if why and not update.ignore_failure:
                self._log.failed(
                    f"an update of container {update.container_id[:100]!r} for an NRI plugin failed: {why}"
                )
                failed.append(update)
        return tuple(failed)

    async def _update(self, update: nri.ContainerUpdate) -> str:
        resources = update.linux.resources if update.linux is not None else None
        asked = asked_resources(resources or nri.Resources())
        if isinstance(asked, str):
            return f"{asked} cannot be changed"
        request = UpdateContainerResourcesRequest(container_id=update.container_id, linux=asked)
        answer = await self._engine.call(UPDATE_FOR_PLUGINS, request)
        return answer.message if isinstance(answer, CriRefusal) else ""


class ServedPlugins:
    """The plugins, the workers that ask them, and the ends that the service hears of by itself."""

    def __init__(self, service: RuntimeService, engine: EngineClient[RuntimeService], socket: str, log: Log) -> None:
        self._service = service
        self._runtime = ServiceRuntime(service, engine, log)
        self._nri = Nri(self._runtime, socket, log)
        self._answering = Answering(self._nri, self._runtime, f"{service.records.root}/{SOCKET}", log)
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen for workers, then for plugins."""
        ended = {seen.id for seen in self._runtime.containers() if seen.phase is ContainerPhase.EXITED}
        await self._answering.start(ended)
        await self._nri.start()

    async def close(self) -> None:
        """Disconnect plugins; workers that still ask are refused."""
        for task in self._telling:
            task.cancel()
        await self._nri.close()
        await self._answering.close()

    def step(self, verb: str) -> AbstractAsyncContextManager[None]:
        """A verb is done within this."""
        return self._nri.step() if verb in STEPS else nullcontext()

    def ended(self, container: str) -> None:
        """A monitor has written a container's exit code."""
        task = asyncio.create_task(self._tell_end(container))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_end(self, container: str) -> None:
        async with self._nri.step():
            records = self._service.records
            record = records.read(ContainerRecord, container)
            seen = observe(self._service, record) if record is not None else None
            if seen is not None and seen.phase is ContainerPhase.EXITED:
                await self._answering.ended(
                    self._service.plugins.pod_of(seen), container_view(seen, spec_of(records, seen))
                )
