"""Ending a container's processes, and taking it away: StopContainer, RemoveContainer, and what a sandbox's end needs.

Specification (CRI; containerd 2.2, in our words). Both verbs succeed where there is nothing to do any more. To stop is
to send the stop signal (the message's, else the image's, else SIGTERM), to wait as many seconds as asked for, and to
kill what is left; with 0 seconds it is killed at once. A container that does not run is left as it is. To remove ends
one that runs by force. Whoever asked may go before the time is over: then nothing is killed.

The first process of a process namespace never sees a signal that it does not handle: then waiting would be in vain, as
`podward run` knows (`podward.runtime.container_stop`). Once the first process has ended, all others of the container
are killed and the OCI runtime forgets it; its exit code, its log and its files stay until it is removed.

No lock is held while a container is given its time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

from msgspec import Struct, structs

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    RemoveContainerRequest,
    RemoveContainerResponse,
    StopContainerRequest,
    StopContainerResponse,
)
from podward.api.nri import Event
from podward.errors import NodeError
from podward.policy.runtime import container_requests
from podward.policy.runtime.namespaces import options
from podward.runtime import container_root, container_stop, orphans, syscalls
from podward.runtime.kept import Process, alive
from podward.runtime.service import conmon, container_place, names
from podward.runtime.service.container_truth import LIVING, observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.volumes import remove_tree
from podward.runtime.workers.calls import Caller

_HALF = (ContainerPhase.MAKING, ContainerPhase.REMOVING)
PATIENCE = 10.0
"""Seconds that a killed container may take to end."""
_SOON = 0.2
"""Seconds after which a killed process is taken for frozen, or for one that something keeps from ending."""


def stop(service: RuntimeService, request: StopContainerRequest, caller: Caller) -> StopContainerResponse | CriRefusal:
    """End a running container, within its time or by force."""
    record = service.records.find(ContainerRecord, request.container_id)
    if record is None:
        return StopContainerResponse()
    seen = observe(service, record)
    if seen.phase is ContainerPhase.RUNNING:
        if request.timeout > 0 and not _ask_to_end(seen, request.timeout, caller):
            if caller.is_gone:
                return CriRefusal(CriCode.DEADLINE_EXCEEDED, f"wait container {seen.id}: nobody waits any more")
            _kill(service, seen)
        elif request.timeout <= 0:
            _kill(service, seen)
    if seen.phase in (ContainerPhase.RUNNING, ContainerPhase.EXITED):
        settle(service, seen.id)
        _tell_end(service, seen.id)
    return StopContainerResponse()


def remove(
    service: RuntimeService, request: RemoveContainerRequest, _caller: Caller
) -> RemoveContainerResponse | CriRefusal:
    """Take a container away, by force if it runs."""
    record = service.records.find(ContainerRecord, request.container_id)
    if record is not None:
        take_away(service, record.id)
    return RemoveContainerResponse()


def take_away(service: RuntimeService, container: str) -> None:
    """Remove the container with this id, in whatever phase it is; one that is gone is fine."""
    lock = service.records.lock(ContainerRecord, container)
    if lock is None:
        return
    with lock:
        record = service.records.read(ContainerRecord, container)
        if record is None:  # a worker was killed before it wrote any
            remove_tree(service.records.directory(ContainerRecord, container))
            return
        record = observe(service, record)
        if record.phase in LIVING and record.process.pid:
            _kill(service, record)
            record = observe(service, record)
        if record.phase in LIVING:
            record = structs.replace(record, phase=ContainerPhase.EXITED)
        service.plugins.tell_of_container(Event.REMOVE_CONTAINER, record)
        destroy(service, record)


def settle(service: RuntimeService, container: str) -> bool:
    """Bring a container to its true state; whether it was noted in another one. Waits for who is at work on it.

    Where its first process has ended, what is left of it is ended. One in the making or being removed, at which a
    worker was killed, is taken away with all that was made of it.
    """
    lock = service.records.lock(ContainerRecord, container)
    if lock is None:
        return False
    with lock:
        record = service.records.read(ContainerRecord, container)
        if record is None:
            return False
        if record.phase in _HALF:
            destroy(service, record)
            return True
        seen = observe(service, record)
        changed = seen.phase is not record.phase
        if changed:
            service.records.write(seen)
        sandbox = service.records.read(SandboxRecord, seen.sandbox)
        if seen.phase is ContainerPhase.EXITED and sandbox is not None:
            end_oci(service, sandbox, seen)
        return changed


class SettleRequest(Struct, frozen=True):
    """A container that has ended, as its monitor has written."""

    container_id: str


class SettleResponse(Struct, frozen=True):
    """Nothing is to be said."""


def settle_ended(service: RuntimeService, request: SettleRequest, _caller: Caller) -> SettleResponse | CriRefusal:
    """End what a container that has ended leaves behind."""
    settle(service, request.container_id)
    return SettleResponse()


def end_all(service: RuntimeService, sandbox: str) -> None:
    """Kill all containers of a sandbox that is being stopped, those that were not started, too."""
    for record in of_sandbox(service, sandbox):
        lock = service.records.lock(ContainerRecord, record.id)  # a worker that makes it, or starts it, is waited for
        if lock is None:
            continue
        with lock:
            current = service.records.read(ContainerRecord, record.id)
            seen = observe(service, current) if current is not None else None
            if seen is not None and seen.phase in LIVING and seen.process.pid:
                _kill(service, seen)
        settle(service, record.id)
        _tell_end(service, record.id)


def _tell_end(service: RuntimeService, container: str) -> None:
    """Tell plugins, if there are any, that a container has ended; the front does that once."""
    record = service.records.read(ContainerRecord, container) if service.plugins else None
    if record is not None and record.phase is ContainerPhase.EXITED:
        service.plugins.tell_of_container(Event.STOP_CONTAINER, record)


def remove_all(service: RuntimeService, sandbox: str) -> None:
    """Take all containers of a sandbox away."""
    for record in of_sandbox(service, sandbox):
        take_away(service, record.id)


def of_sandbox(service: RuntimeService, sandbox: str) -> tuple[ContainerRecord, ...]:
    """The containers of the sandbox with this id, in whatever phase."""
    return tuple(record for record in service.records.every(ContainerRecord, sandbox) if record.sandbox == sandbox)


# --- its processes ----------------------------------------------------------------------------------------------------


def _ask_to_end(record: ContainerRecord, seconds: float, caller: Caller) -> bool:
    """Send the stop signal; whether the container has ended within this time.

    The time is the container's even where its process is the first of a process namespace and has no handler, so that
    the kernel keeps the signal from it: it may end by itself, or because a preStop hook has told it to.
    """
    with contextlib.suppress(ProcessLookupError):
        _signal(record.process, stop_signal(record))
    return _wait(record, seconds, caller)


def stop_signal(record: ContainerRecord) -> int:
    """The signal that asks the container to end."""
    return container_stop.number(container_requests.stop_signal(record.config, record.stop_signal))


def hears(service: RuntimeService, record: ContainerRecord) -> bool:
    """Whether the stop signal reaches the container's process, or one that goes on in spite of it.

    The first process of a process namespace does not get a signal for which it has no handler.
    """
    mode = options(record.config.linux.security_context).pid
    sandbox = service.records.read(SandboxRecord, record.sandbox)
    shared = sandbox is not None and "pid" in sandbox.namespaces
    is_first = mode == "CONTAINER" or (mode == "POD" and not shared)
    return not is_first or container_stop.is_taken(record.process.pid, stop_signal(record))


def _kill(service: RuntimeService, record: ContainerRecord) -> None:
    """Kill the container's processes and wait for its end; raises NodeError where it does not end."""
    with contextlib.suppress(ProcessLookupError):
        _signal(record.process, signal.SIGKILL)
    if _wait(record, _SOON):
        return
    service.cgroups.kill_path(record.cgroup)
    if not _wait(record, PATIENCE):
        raise NodeError(f"container {record.id} does not end", advice="a process of it waits for the kernel: see dmesg")


def _signal(process: Process, number: int) -> None:
    """Send a signal to this very process. Raises ProcessLookupError where it has ended."""
    descriptor = os.pidfd_open(process.pid)
    try:
        if alive(process):  # asked once the descriptor holds the pid: it is the process's or nobody's
            signal.pidfd_send_signal(descriptor, number)
    finally:
        os.close(descriptor)


def _wait(record: ContainerRecord, seconds: float, caller: Caller | None = None) -> bool:
    """Whether the container ends within this time: its monitor, or its process where the monitor is gone."""
    waited = record.monitor if alive(record.monitor) else record.process
    try:
        descriptor = os.pidfd_open(waited.pid)
    except ProcessLookupError:
        return True
    try:
        if not alive(waited):
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if caller is not None:
            poll.register(caller, select.POLLIN | select.POLLRDHUP)
        deadline = time.monotonic() + seconds
        ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        return any(found == descriptor for found, _ in ready)
    finally:
        os.close(descriptor)


# --- what was made for it ---------------------------------------------------------------------------------------------


def end_oci(service: RuntimeService, sandbox: SandboxRecord, record: ContainerRecord) -> None:
    """End what is left of the container's processes and have the OCI runtime forget it; one that never was is fine."""
    runtime = service.oci(sandbox.engine)
    if runtime.knows(record.id):
        with container_place.inside_if_there(sandbox):
            runtime.delete(record.id, record.bundle)
    service.cgroups.end_path(record.cgroup)


def destroy(service: RuntimeService, record: ContainerRecord) -> None:
    """Take away everything of a container that has no process any more. Its lock is ours."""
    records, half = service.records, record.phase is not ContainerPhase.EXITED
    if record.phase is not ContainerPhase.REMOVING:
        record = record.became(ContainerPhase.REMOVING)
        records.write(record)
    if half:  # whoever made it may have been killed, and a monitor of it be at work
        orphans.end(record.bundle, programs=(*orphans.MONITORS, *orphans.RUNTIMES))
    sandbox = records.read(SandboxRecord, record.sandbox)
    if sandbox is not None:
        end_oci(service, sandbox, record)
    if alive(record.monitor):
        conmon.end((record.monitor.pid,))
    with container_place.inside_if_there(sandbox) as there:
        if there:
            _unmount(service, record)
    if sandbox is not None:
        names.release(records, record, names.of_container(record.config.metadata, sandbox.config.metadata))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{records.exits}/{record.id}")
    remove_tree(records.directory(ContainerRecord, record.id))  # the last: what is known of it is there until then


def _unmount(service: RuntimeService, record: ContainerRecord) -> None:
    """In the pin's mount namespace: take the mounts away."""
    copies = f"{record.bundle}/{container_place.MOUNTS}"
    for name in os.listdir(copies) if os.path.isdir(copies) else ():
        syscalls.unmount_if_mounted(f"{copies}/{name}")
    container_root.unmount(record.bundle)
    if record.bundle != service.records.directory(ContainerRecord, record.id):
        syscalls.unmount_if_mounted(record.bundle)
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(record.bundle)
