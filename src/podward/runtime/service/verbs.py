"""The verbs of the runtime service, by name: what a front may have done, and which function does it."""

from __future__ import annotations

from typing import cast

from podward.api import cri_requests as cri
from podward.runtime.service import recovery, sandboxes
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

RUN_POD_SANDBOX = Verb("RunPodSandbox", cri.RunPodSandboxRequest, cri.RunPodSandboxResponse, sandboxes.run)
STOP_POD_SANDBOX = Verb("StopPodSandbox", cri.StopPodSandboxRequest, cri.StopPodSandboxResponse, sandboxes.stop)
REMOVE_POD_SANDBOX = Verb(
    "RemovePodSandbox", cri.RemovePodSandboxRequest, cri.RemovePodSandboxResponse, sandboxes.remove
)
POD_SANDBOX_STATUS = Verb(
    "PodSandboxStatus", cri.PodSandboxStatusRequest, cri.PodSandboxStatusResponse, sandboxes.status
)
LIST_POD_SANDBOX = Verb("ListPodSandbox", cri.ListPodSandboxRequest, cri.ListPodSandboxResponse, sandboxes.listed)
RECOVER = Verb("Recover", recovery.RecoverRequest, recovery.RecoverResponse, recovery.recover)

_ALL: tuple[object, ...] = (
    RUN_POD_SANDBOX,
    STOP_POD_SANDBOX,
    REMOVE_POD_SANDBOX,
    POD_SANDBOX_STATUS,
    LIST_POD_SANDBOX,
    RECOVER,
)
VERBS = {verb.name: verb for verb in cast("tuple[Verb[RuntimeService, object, object], ...]", _ALL)}
"""What the engine is started with."""
