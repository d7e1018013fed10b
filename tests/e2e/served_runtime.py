"""A runtime service whose verbs are done by a real engine, in directories of the test."""

from __future__ import annotations

import asyncio
import os
from typing import TypeVar

from podward.api.cri import (
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    RemovePodSandboxRequest,
    RunPodSandboxRequest,
    RunPodSandboxResponse,
    StopPodSandboxRequest,
)
from podward.runtime.service import verbs
from podward.runtime.service.records import SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers import engine
from podward.runtime.workers.calls import Verb
from podward.runtime.workers.client import EngineClient

Arguments = TypeVar("Arguments")
Result = TypeVar("Result")


class Served:
    """The service and its engine; `call` has a verb done in a worker."""

    def __init__(self, service: RuntimeService) -> None:
        self.service = service
        service.choose_all()
        self.pid, self.control = engine.start(service, verbs.VERBS)

    def call(self, verb: Verb[RuntimeService, Arguments, Result], arguments: Arguments) -> Result | CriRefusal:
        async def main() -> Result | CriRefusal:
            return await self.client().call(verb, arguments)

        return asyncio.run(main())

    def client(self) -> EngineClient[RuntimeService]:
        """The engine's client, for calls that go on at the same time."""
        return EngineClient(self.pid, self.control)

    def run(self, config: PodSandboxConfig, handler: str = "") -> SandboxRecord:
        """A sandbox, which must be made."""
        answer = self.call(verbs.RUN_POD_SANDBOX, RunPodSandboxRequest(config, handler))
        assert isinstance(answer, RunPodSandboxResponse), answer
        return self.record(answer.pod_sandbox_id)

    def refused(self, config: PodSandboxConfig, handler: str = "") -> CriRefusal:
        """Why there is no such sandbox."""
        answer = self.call(verbs.RUN_POD_SANDBOX, RunPodSandboxRequest(config, handler))
        assert isinstance(answer, CriRefusal), answer
        return answer

    def record(self, identifier: str) -> SandboxRecord:
        """What is known of a sandbox."""
        found = self.service.records.read(SandboxRecord, identifier)
        assert found is not None
        return found

    def stop(self, identifier: str) -> None:
        """Stop a sandbox, without a refusal."""
        answer = self.call(verbs.STOP_POD_SANDBOX, StopPodSandboxRequest(identifier))
        assert not isinstance(answer, CriRefusal), answer

    def remove(self, identifier: str) -> None:
        """Remove a sandbox, without a refusal."""
        answer = self.call(verbs.REMOVE_POD_SANDBOX, RemovePodSandboxRequest(identifier))
        assert not isinstance(answer, CriRefusal), answer

    def abandon(self) -> None:
        """Be done with an engine that was killed."""
        self.control.close()
        os.waitpid(self.pid, 0)
        self.service.cgroups.close()

    def close(self) -> None:
        """Remove all sandboxes, and end the engine."""
        for record in self.service.records.every(SandboxRecord):
            self.remove(record.id)
        self.control.close()
        os.waitpid(self.pid, 0)
        self.service.cgroups.close()


def pod(name: str = "web", *, modes: NamespaceOption | None = None, **rest: object) -> PodSandboxConfig:
    """The message about a Pod; without modes it is on the host's network."""
    context = LinuxSandboxSecurityContext(namespace_options=modes or NamespaceOption(network="NODE", pid="CONTAINER"))
    return PodSandboxConfig(
        PodSandboxMetadata(name, f"uid-{name}", "default"),
        linux=LinuxPodSandboxConfig(security_context=context),
        **rest,  # type: ignore[arg-type]
    )
