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

from msgspec import structs

from podward.api.cri import LinuxContainerResources
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ReopenContainerLogRequest,
    ReopenContainerLogResponse,
    UpdateContainerResourcesRequest,
    UpdateContainerResourcesResponse,
)
from podward.api.nri import Event
from podward.api.oci import Resources
from podward.decision import Decision
from podward.errors import RuntimeFailedError
from podward.policy.runtime import defaults, resource_updates
from podward.policy.runtime.request_refusal import refusal_of
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.runtime import cgroup_controllers, cgroups
from podward.runtime.service import conmon, container_status, pins
from podward.runtime.service.container_truth import LIVING, observe
from podward.runtime.service.plugins import Question, asked_resources, container_view, resources_view, spec_of
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

_TO_REOPEN = 5.0
_LOOK = 0.002


def update(
    service: RuntimeService, request: UpdateContainerResourcesRequest, _caller: Caller
) -> UpdateContainerResourcesResponse | CriRefusal:
    """Change a container's resources, as plugins want it."""
    found = container_status.find(service, request.container_id)
    if isinstance(found, CriRefusal):
        return found
    asked = _as_plugins_want(service, found, request.linux or LinuxContainerResources())
    if isinstance(asked, CriRefusal):
        return asked
    answer = _change(service, found, asked)
    if not isinstance(answer, CriRefusal):
        service.plugins.tell_of_container(Event.POST_UPDATE_CONTAINER, found)
    return answer


def update_for_plugins(
    service: RuntimeService, request: UpdateContainerResourcesRequest, _caller: Caller
) -> UpdateContainerResourcesResponse | CriRefusal:
    """Change a container's resources, which a plugin asks for: none is asked about it."""
    found = container_status.find(service, request.container_id)
    if isinstance(found, CriRefusal):
        return found
    return _change(service, found, request.linux or LinuxContainerResources())


def _as_plugins_want(
    service: RuntimeService, record: ContainerRecord, asked: LinuxContainerResources
) -> LinuxContainerResources | CriRefusal:
    if not service.plugins:
        return asked
    seen = container_view(record, spec_of(service.records, record))
    question = Question(Event.UPDATE_CONTAINER, service.plugins.pod_of(record), seen, resources_view(asked))
    answer = service.plugins.ask(question)
    if answer.refusal is not None or answer.resources is None:
        return answer.refusal or asked
    wanted = asked_resources(answer.resources)
    if isinstance(wanted, str):
        return CriRefusal(CriCode.INVALID_ARGUMENT, f"an NRI plugin asks for {wanted}, which cannot be changed")
    return structs.replace(wanted, oom_score_adj=asked.oom_score_adj)


def _change(
    service: RuntimeService, found: ContainerRecord, asked: LinuxContainerResources
) -> UpdateContainerResourcesResponse | CriRefusal:
    if not cgroups.usable():  # the OCI runtime would change the cgroup that the container is in, which is our own
        what = f"no cgroups can be made here, so nothing limits container {found.id}: run the service as root"
        return CriRefusal(CriCode.FAILED_PRECONDITION, what)
    lock = service.records.lock(ContainerRecord, found.id)
    if lock is None:
        return CriRefusal(CriCode.NOT_FOUND, f"there is no container {found.id}")
    with lock:
        record = service.records.read(ContainerRecord, found.id)
        record = observe(service, record) if record is not None else None
        if record is None or record.phase not in LIVING:
            return CriRefusal(CriCode.FAILED_PRECONDITION, f"container {found.id} has ended, and has no resources")
        wanted = resource_updates.merged(record.resources or record.config.linux.resources, asked)
        resources = _decided(service, asked)
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


def _decided(service: RuntimeService, asked: LinuxContainerResources) -> Resources | CriRefusal:
    runtime = RuntimeProfile(defaults.load(service.options.runtime_defaults), Decision())
    decided = resource_updates.decide(asked, runtime, cgroup_controllers.controllers())
    return refusal_of(decided) or resource_updates.resources_of(decided)


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
