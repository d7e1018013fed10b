"""StartContainer: the process of a created container executes its program.

Specification (CRI; containerd 2.2, in our words). Only a created container is started, once, while its sandbox is
ready. Where that fails the container has ended: with reason StartError, with what the OCI runtime said as message, and
with the exit code of a program that could not be started.
"""

from __future__ import annotations

from msgspec import structs

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import StartContainerRequest, StartContainerResponse
from podward.api.nri import Event
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime.oci import code_of_failure
from podward.runtime.service import pins
from podward.runtime.service.container_ending import end_oci
from podward.runtime.service.container_truth import observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.sandboxes import is_ready
from podward.runtime.workers.calls import Caller

START_ERROR = "StartError"
_MAY_START = (ContainerPhase.CREATED, ContainerPhase.STARTING)
"""STARTING without the lock's holder was left by a worker that was killed before it came to start it."""


def start(
    service: RuntimeService, request: StartContainerRequest, _caller: Caller
) -> StartContainerResponse | CriRefusal:
    """Let the container's process go."""
    found = service.records.find(ContainerRecord, request.container_id)
    lock = service.records.lock(ContainerRecord, found.id) if found is not None else None
    if found is None or lock is None:
        return CriRefusal(CriCode.NOT_FOUND, f"there is no container {request.container_id}")
    with lock:
        record = service.records.read(ContainerRecord, found.id)
        if record is None:
            return CriRefusal(CriCode.NOT_FOUND, f"there is no container {request.container_id}")
        seen = observe(service, record)
        if seen.phase not in _MAY_START:
            what = f"container {seen.id} cannot be started: it is {seen.phase.value}"
            return CriRefusal(CriCode.FAILED_PRECONDITION, what)
        sandbox = service.records.read(SandboxRecord, seen.sandbox)
        if sandbox is None or not is_ready(sandbox):
            return CriRefusal(CriCode.FAILED_PRECONDITION, f"sandbox {seen.sandbox} is not running")
        return _start(service, sandbox, structs.replace(seen, phase=ContainerPhase.STARTING, started_at=now()))


def _start(
    service: RuntimeService, sandbox: SandboxRecord, record: ContainerRecord
) -> StartContainerResponse | CriRefusal:
    service.records.write(record)
    failure = record.message
    if not failure and (refused := service.plugins.tell_of_container(Event.START_CONTAINER, record)) is not None:
        failure = refused.message
    if not failure:
        try:
            with pins.inside(sandbox.pin):
                service.oci(sandbox.engine).start(record.id, record.bundle)
        except (RuntimeFailedError, NodeError) as error:
            failure = str(error)
    if not failure:
        running = record.became(ContainerPhase.RUNNING)
        service.records.write(running)
        service.plugins.tell_of_container(Event.POST_START_CONTAINER, running)
        return StartContainerResponse()
    failed = structs.replace(
        record.became(ContainerPhase.EXITED),
        exit_code=code_of_failure(failure),
        finished_at=now(),
        reason=START_ERROR,
        message=failure,
    )
    service.records.write(failed)
    end_oci(service, sandbox, failed)
    service.plugins.tell_of_container(Event.STOP_CONTAINER, failed)
    return CriRefusal(CriCode.UNKNOWN, f"failed to start container {record.id}: {failure}")
