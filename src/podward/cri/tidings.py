"""Which events follow from which verb, and what an event says of the sandbox and its containers.

Specification (containerd's `generateAndSendContainerEvent`, in our words): a sandbox that runs was created and started;
a container's start, end and removal are told each. An end is heard of from the monitor, too, and told once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from podward.api.cri import Message
from podward.api.cri_requests import (
    CreateContainerRequest,
    CreateContainerResponse,
    RemoveContainerRequest,
    RemovePodSandboxRequest,
    RunPodSandboxResponse,
    StartContainerRequest,
    StopContainerRequest,
    StopPodSandboxRequest,
)
from podward.api.cri_status import ContainerEventResponse, ContainerFilter
from podward.cri.events import Events, Happening
from podward.runtime.service import container_status, sandboxes
from podward.runtime.service.records import ContainerRecord, SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService


class Concerned(Struct, frozen=True):
    """Whom a verb is about, looked up before it is done: afterwards they may be gone."""

    sandbox: str = ""
    container: str = ""
    containers: tuple[str, ...] = ()
    """Those of a sandbox that is removed."""


class Tidings:
    """Tells events of verbs and of containers' ends."""

    def __init__(self, service: RuntimeService) -> None:
        self._service = service
        self.events = Events(self._describe)
        self._starting: set[str] = set()
        self._ended_meanwhile: set[str] = set()

    def concerned(self, request: Message) -> Concerned:
        """Whom this request is about."""
        records = self._service.records
        match request:
            case StopPodSandboxRequest(pod_sandbox_id=word) | RemovePodSandboxRequest(pod_sandbox_id=word):
                sandbox = records.find(SandboxRecord, word)
                if sandbox is None:
                    return Concerned()
                return Concerned(sandbox.id, containers=tuple(each.id for each in self._containers(sandbox.id)))
            case CreateContainerRequest(pod_sandbox_id=word):
                sandbox = records.find(SandboxRecord, word)
                return Concerned(sandbox.id if sandbox else word)
            case (
                StartContainerRequest(container_id=word)
                | StopContainerRequest(container_id=word)
                | RemoveContainerRequest(container_id=word)
            ):
                container = records.find(ContainerRecord, word)
                return Concerned(container.sandbox, container.id) if container else Concerned()
            case _:
                return Concerned()

    @contextmanager
    def told_in_order(self, request: Message, about: Concerned) -> Iterator[None]:
        """While a container is being started its end is not told: that it was started comes first."""
        if not isinstance(request, StartContainerRequest):
            yield
            return
        self._starting.add(about.container)
        try:
            yield
        finally:
            self._starting.discard(about.container)
            if about.container in self._ended_meanwhile:
                self._ended_meanwhile.discard(about.container)
                self.ended(about.container)

    def tell(self, request: Message, response: Message, about: Concerned) -> None:
        """The verb was done."""
        tell = self.events.tell
        match request, response:
            case _, RunPodSandboxResponse(pod_sandbox_id=made):
                tell(Happening.CREATED, made, made)
                tell(Happening.STARTED, made, made)
            case _, CreateContainerResponse(container_id=made):
                tell(Happening.CREATED, made, about.sandbox)
            case StartContainerRequest(), _ if about.container:
                tell(Happening.STARTED, about.container, about.sandbox)
            case StopContainerRequest(), _ if about.container:
                tell(Happening.STOPPED, about.container, about.sandbox)
            case RemoveContainerRequest(), _ if about.container:
                tell(Happening.DELETED, about.container, about.sandbox)
            case StopPodSandboxRequest(), _ if about.sandbox:
                tell(Happening.STOPPED, about.sandbox, about.sandbox)
            case RemovePodSandboxRequest(), _ if about.sandbox:
                for container in about.containers:
                    tell(Happening.DELETED, container, about.sandbox)
                tell(Happening.DELETED, about.sandbox, about.sandbox)
            case _:
                pass

    def ended(self, container: str) -> None:
        """A monitor has written a container's exit code."""
        if container in self._starting:
            self._ended_meanwhile.add(container)
            return
        record = self._service.records.read(ContainerRecord, container)
        if record is not None:
            self.events.tell(Happening.STOPPED, container, record.sandbox)

    def _containers(self, sandbox: str) -> list[ContainerRecord]:
        return [each for each in self._service.records.every(ContainerRecord, sandbox) if each.sandbox == sandbox]

    def _describe(self, identifier: str, sandbox: str, happening: Happening) -> ContainerEventResponse:
        record = self._service.records.read(SandboxRecord, sandbox)
        containers = container_status.every(self._service, ContainerFilter(pod_sandbox_id=sandbox))
        return ContainerEventResponse(
            identifier,
            happening.value,
            now(),
            sandboxes.status_of(record) if record else None,
            tuple(map(container_status.status_of, containers)),
        )
