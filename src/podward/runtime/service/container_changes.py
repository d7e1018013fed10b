"""What is changed about a container that is there: its resources, and the file of its log.

Specification (CRI; containerd 2.2 `updateContainerResources`, in our words). A resource of 0 stays as it is. The OCI
runtime changes the cgroup; what was changed is told in the container's status. A container that has ended can't be
changed. ReopenContainerLog is for a running container, whose log somebody has renamed: it answers when there is a new
file.
"""

from __future__ import annotations

import contextlib
import os
import time

import msgspec
from msgspec import Struct, structs

from podward.api.cri import LinuxContainerResources
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ReopenContainerLogRequest,
    ReopenContainerLogResponse,
    UpdateContainerResourcesRequest,
    UpdateContainerResourcesResponse,
)
from podward.api.oci import Linux, Resources
from podward.decision import Decision
from podward.errors import RuntimeFailedError
from podward.policy.runtime import defaults, linux
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.runtime.service import conmon, container_status, pins
from podward.runtime.service.container_truth import LIVING, observe
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

_TO_REOPEN = 5.0
_LOOK = 0.002


class _Limits(Struct, frozen=True):
    """The part of a runtime spec that a change of resources is about."""

    linux: Linux = msgspec.field(default_factory=Linux)


def update(
    service: RuntimeService, request: UpdateContainerResourcesRequest, _caller: Caller
) -> UpdateContainerResourcesResponse | CriRefusal:
    """Change a container's resources."""
    found = container_status.find(service, request.container_id)
    if isinstance(found, CriRefusal):
        return found
    asked = request.linux or LinuxContainerResources()
    lock = service.records.lock(ContainerRecord, found.id)
    if lock is None:
        return CriRefusal(CriCode.NOT_FOUND, f"there is no container {found.id}")
    with lock:
        record = service.records.read(ContainerRecord, found.id)
        record = observe(service, record) if record is not None else None
        if record is None or record.phase not in LIVING:
            return CriRefusal(CriCode.FAILED_PRECONDITION, f"container {found.id} has ended, and has no resources")
        wanted = _merged(record.resources or record.config.linux.resources, asked)
        resources = _decided(service, record, asked)
        if isinstance(resources, CriRefusal):
            return resources
        sandbox = service.records.read(SandboxRecord, record.sandbox)
        if sandbox is None:
            raise RuntimeFailedError(f"sandbox {record.sandbox} is gone")
        if record.process.pid:
            with pins.inside(sandbox.pin):
                service.oci(sandbox.engine).update(record.id, record.bundle, resources)
        service.records.write(structs.replace(record, resources=wanted))
    return UpdateContainerResourcesResponse()


def _merged(had: LinuxContainerResources, asked: LinuxContainerResources) -> LinuxContainerResources:
    """What is set of `asked`, and the rest as it was."""
    return structs.replace(had, **{name: value for name, value in structs.asdict(asked).items() if value})


def _decided(
    service: RuntimeService, record: ContainerRecord, asked: LinuxContainerResources
) -> Resources | CriRefusal:
    config = structs.replace(record.config, linux=structs.replace(record.config.linux, resources=asked))
    runtime = RuntimeProfile(defaults.load(service.options.runtime_defaults), Decision())
    decided = linux.decide_resources(config, record.cgroup, runtime)
    if decided.refused:
        return CriRefusal(CriCode.INVALID_ARGUMENT, decided.violations[0].reason)
    return decided.fold(_Limits).linux.resources


def reopen_log(
    service: RuntimeService, request: ReopenContainerLogRequest, _caller: Caller
) -> ReopenContainerLogResponse | CriRefusal:
    """Have the monitor write to a new file of the log's name."""
    record = container_status.running(service, request.container_id)
    if isinstance(record, CriRefusal):
        return record
    if not record.log_path:
        return ReopenContainerLogResponse()
    before = _identity(record.log_path)
    if not conmon.tell(service.records.directory(ContainerRecord, record.id), conmon.REOPEN_LOG):
        return CriRefusal(CriCode.UNKNOWN, f"the monitor of container {record.id} does not listen")
    deadline = time.monotonic() + _TO_REOPEN
    while (now := _identity(record.log_path)) == before or not now:
        if time.monotonic() > deadline:
            return CriRefusal(CriCode.DEADLINE_EXCEEDED, f"the log of container {record.id} was not reopened")
        time.sleep(_LOOK)
    return ReopenContainerLogResponse()


def _identity(file: str) -> tuple[int, int]:
    """What tells this file from another of the same name; nothing where there is none."""
    with contextlib.suppress(OSError):
        found = os.lstat(file)
        return found.st_ino, found.st_ctime_ns
    return 0, 0
