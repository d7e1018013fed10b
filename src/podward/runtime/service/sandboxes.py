"""The verbs of sandboxes: run, stop, remove, status, list.

Whoever changes a sandbox holds its lock. Who finds a lock free and a phase in between finds what another was killed at:
`settle` brings it to its end first, so it does not matter when somebody dies.
"""

from __future__ import annotations

from podward.api.cri import PodSandboxConfig
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ListPodSandboxRequest,
    ListPodSandboxResponse,
    PodSandboxStatusRequest,
    PodSandboxStatusResponse,
    RemovePodSandboxRequest,
    RemovePodSandboxResponse,
    RunPodSandboxRequest,
    RunPodSandboxResponse,
    StopPodSandboxRequest,
    StopPodSandboxResponse,
)
from podward.api.cri_status import (
    LinuxPodSandboxStatus,
    Namespace,
    PodIP,
    PodSandbox,
    PodSandboxFilter,
    PodSandboxNetworkStatus,
    PodSandboxStatus,
)
from podward.api.nri import Event
from podward.errors import PodwardError
from podward.policy.runtime import sandbox_requests
from podward.policy.runtime.namespaces import of_sandbox
from podward.policy.runtime.request_refusal import refusal_of
from podward.runtime.kept import alive
from podward.runtime.probe import RuntimeChoice
from podward.runtime.service import container_ending, names, pins, sandbox_parts
from podward.runtime.service.phases import SandboxPhase
from podward.runtime.service.records import SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.state import Lock
from podward.runtime.workers.calls import Caller

_READY, _NOT_READY = "SANDBOX_READY", "SANDBOX_NOTREADY"
_PASSING = (SandboxPhase.MAKING, SandboxPhase.REMOVING)
"""Phases of sandboxes that are to go, where nobody is at work on them."""


# --- run --------------------------------------------------------------------------------------------------------------


def run(service: RuntimeService, request: RunPodSandboxRequest, caller: Caller) -> RunPodSandboxResponse | CriRefusal:
    """RunPodSandbox. Raises PodwardError or OSError where this machine can't; then nothing is left of it."""
    del caller
    config = request.config or PodSandboxConfig()
    refused = refusal_of(sandbox_requests.check(config, service.options.runtime_defaults))
    if refused is not None:
        return refused
    choice = service.choice(request.runtime_handler)
    if isinstance(choice, CriRefusal):
        return choice
    record = _new_record(service, config, request.runtime_handler, choice)
    with service.records.add(record):
        try:
            refused = _reserve(service, record)
            if refused is not None:
                sandbox_parts.forget(service, record)
                return refused
            return _make(service, record, choice)
        except (PodwardError, OSError):
            _take_away(service, service.records.read(SandboxRecord, record.id) or record)
            raise


def _make(service: RuntimeService, record: SandboxRecord, choice: RuntimeChoice) -> RunPodSandboxResponse | CriRefusal:
    with pins.returning():
        made = sandbox_parts.make(service, record, hide=choice.needs_private_cgroup_mounts)
    refused = service.plugins.tell_of_sandbox(Event.RUN_POD_SANDBOX, made)
    if refused is not None:
        _take_away(service, made)
        return refused
    service.records.write(made.became(SandboxPhase.READY))
    return RunPodSandboxResponse(record.id)


def _new_record(
    service: RuntimeService, config: PodSandboxConfig, handler: str, choice: RuntimeChoice
) -> SandboxRecord:
    identifier, parent = service.records.new_id(), f"/{config.linux.cgroup_parent.strip('/')}".rstrip("/")
    above = parent
    while above and not service.cgroups.exists(above):
        above = above.rpartition("/")[0]
    return SandboxRecord(
        id=identifier,
        phase=SandboxPhase.MAKING,
        config=config,
        runtime_handler=handler,
        engine=choice.engine,
        created_at=now(),
        work=service.records.directory(SandboxRecord, identifier),
        mapping=sandbox_requests.mapping(config),
        cgroup=f"{parent}/podward-{identifier}",
        cgroup_above=above,
    )


def _reserve(service: RuntimeService, record: SandboxRecord) -> CriRefusal | None:
    """Have the sandbox's name, if no other has it: one that was killed in the making counts for nothing."""
    name = names.of_sandbox(record.config.metadata)
    while holder := names.reserve(service.records, record, name):
        other = service.records.read(SandboxRecord, holder)
        if other is not None and (other.phase not in _PASSING or not settle(service, holder)):
            return CriRefusal(CriCode.ALREADY_EXISTS, f"sandbox name {name!r} is reserved for {holder!r}")
    return None


# --- stop and remove --------------------------------------------------------------------------------------------------


def stop(
    service: RuntimeService, request: StopPodSandboxRequest, caller: Caller
) -> StopPodSandboxResponse | CriRefusal:
    """StopPodSandbox; one that is not there or has been stopped is fine."""
    del caller
    found = service.records.find(SandboxRecord, request.pod_sandbox_id)
    if found is not None and (lock := service.records.lock(SandboxRecord, found.id)) is not None:
        with lock:
            record = service.records.read(SandboxRecord, found.id)
            if record is not None:
                _stop(service, record)
    return StopPodSandboxResponse()


def remove(
    service: RuntimeService, request: RemovePodSandboxRequest, caller: Caller
) -> RemovePodSandboxResponse | CriRefusal:
    """RemovePodSandbox: with all its containers, and stopped before; one that is not there is fine."""
    del caller
    found = service.records.find(SandboxRecord, request.pod_sandbox_id)
    if found is not None and (lock := service.records.lock(SandboxRecord, found.id)) is not None:
        with lock:
            record = service.records.read(SandboxRecord, found.id)
            if record is not None:
                record = _stop(service, record)
                container_ending.remove_all(service, record.id)
                service.plugins.tell_of_sandbox(Event.REMOVE_POD_SANDBOX, record)
                _take_away(service, record)
    return RemovePodSandboxResponse()


def settle(service: RuntimeService, identifier: str) -> bool:
    """Finish what somebody was killed at; False where somebody is at work on it.

    A sandbox that was in the making or was being removed is gone afterwards; one whose pin died, or that was being
    stopped, is stopped.
    """
    try:
        lock = Lock.attempt(f"{service.records.directory(SandboxRecord, identifier)}/lock")
    except FileNotFoundError:
        return True
    if lock is None:
        return False
    with lock:
        record = service.records.read(SandboxRecord, identifier)
        if record is None or is_ready(record) or record.phase is SandboxPhase.NOT_READY:
            return True
        if record.phase is SandboxPhase.MAKING:
            sandbox_parts.end_runtimes(service, record)
        if record.phase in _PASSING:
            _take_away(service, record)
        else:
            _stop(service, record)
    return True


def _stop(service: RuntimeService, record: SandboxRecord) -> SandboxRecord:
    """What the sandbox is once nothing of it runs; of one in the making or being removed nothing is changed here."""
    was_ready = record.phase is SandboxPhase.READY
    if was_ready:
        record = record.became(SandboxPhase.STOPPING)
        service.records.write(record)
    if record.phase is SandboxPhase.STOPPING:
        container_ending.end_all(service, record.id)
        if was_ready:
            service.plugins.tell_of_sandbox(Event.STOP_POD_SANDBOX, record)
        sandbox_parts.end(service, record)
        record = record.became(SandboxPhase.NOT_READY)
        service.records.write(record)
    return record


def _take_away(service: RuntimeService, record: SandboxRecord) -> None:
    """Remove all that there is of a sandbox that has been stopped, or that was made or removed in part."""
    ended = record.phase is SandboxPhase.NOT_READY
    if record.phase is not SandboxPhase.REMOVING:
        record = record.became(SandboxPhase.REMOVING)
        service.records.write(record)
    container_ending.remove_all(service, record.id)
    if not ended:
        sandbox_parts.end(service, record)
    sandbox_parts.forget(service, record)


# --- what there is ----------------------------------------------------------------------------------------------------


def is_ready(record: SandboxRecord) -> bool:
    """Whether containers can be made in it: its record says so, and its pin and its pause process live."""
    living = alive(record.pin) and (not record.pause.pid or alive(record.pause))
    return record.phase is SandboxPhase.READY and living


def state_of(record: SandboxRecord) -> str:
    """CRI's word for how it is."""
    return _READY if is_ready(record) else _NOT_READY


def find(service: RuntimeService, word: str) -> SandboxRecord | CriRefusal:
    """The sandbox that a client means by an id or the beginning of one."""
    found = service.records.find(SandboxRecord, word)
    if found is None or not found.was_ready:
        return CriRefusal(CriCode.NOT_FOUND, f"there is no sandbox {word[:100]!r}")
    return found


def status(
    service: RuntimeService, request: PodSandboxStatusRequest, caller: Caller
) -> PodSandboxStatusResponse | CriRefusal:
    """PodSandboxStatus. Asked for more it tells the pin's process and the namespaces.

    It has no time: to a kubelet that listens to events, a time says that the containers' statuses are in the answer,
    too. Without one it asks for those of the containers that it knows.
    """
    del caller
    record = find(service, request.pod_sandbox_id)
    if isinstance(record, CriRefusal):
        return record
    return PodSandboxStatusResponse(status=status_of(record), info=_info(record) if request.verbose else {})


def status_of(record: SandboxRecord) -> PodSandboxStatus:
    """The sandbox's status, as it is now."""
    state, config = state_of(record), record.config
    addresses = record.addresses if state == _READY else ()
    return PodSandboxStatus(
        id=record.id,
        metadata=config.metadata,
        state=state,
        created_at=record.created_at,
        network=PodSandboxNetworkStatus(next(iter(addresses), ""), tuple(PodIP(address) for address in addresses[1:])),
        linux=LinuxPodSandboxStatus(Namespace(of_sandbox(config))),
        labels=config.labels,
        annotations=config.annotations,
        runtime_handler=record.runtime_handler,
    )


def _info(record: SandboxRecord) -> dict[str, str]:
    return {
        "pid": str(record.pause.pid or record.pin.pid),
        "runtimeType": record.engine.kind,
        "cgroup": record.cgroup,
        **{f"{kind}Namespace": path for kind, path in record.namespaces.items()},
    }


def listed(
    service: RuntimeService, request: ListPodSandboxRequest, caller: Caller
) -> ListPodSandboxResponse | CriRefusal:
    """ListPodSandbox."""
    del caller
    wanted = request.filter or PodSandboxFilter()
    records = (record for record in service.records.every(SandboxRecord) if _is_meant(record, wanted))
    items = (_item(record) for record in records)  # whether one is ready takes longer to find out than all the rest
    return ListPodSandboxResponse(tuple(item for item in items if wanted.state in (None, item.state)))


def _is_meant(record: SandboxRecord, wanted: PodSandboxFilter) -> bool:
    labels = record.config.labels
    return record.was_ready and record.id.startswith(wanted.id) and wanted.label_selector.items() <= labels.items()


def _item(record: SandboxRecord) -> PodSandbox:
    config = record.config
    return PodSandbox(
        id=record.id,
        metadata=config.metadata,
        state=state_of(record),
        created_at=record.created_at,
        labels=config.labels,
        annotations=config.annotations,
        runtime_handler=record.runtime_handler,
    )
