"""What clients are told of containers: ContainerStatus and ListContainers.

Specification (CRI `ContainerStatus`; containerd 2.2, in our words). Times of what has not happened are 0. An ended
container without another reason has Completed or Error, as its exit code says. The image is told by a name that it has,
`image_ref` and `image_id` are its id. Mounts are those that were asked for; those of images have the image's id, too.
The stop signal is the one that would be sent. A container that is being made or removed is told of nobody.
"""

from __future__ import annotations

import signal

import msgspec
from msgspec import structs

from podward.api.cri import ImageSpec
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ContainerStatusRequest,
    ContainerStatusResponse,
    ListContainersRequest,
    ListContainersResponse,
)
from podward.api.cri_status import Container, ContainerFilter, ContainerResources, ContainerStatus, ContainerUser
from podward.runtime.service.container_ending import stop_signal
from podward.runtime.service.container_truth import observe
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

COMPLETED, ERROR = "Completed", "Error"
STATES = {
    ContainerPhase.CREATED: "CONTAINER_CREATED",
    ContainerPhase.STARTING: "CONTAINER_CREATED",
    ContainerPhase.RUNNING: "CONTAINER_RUNNING",
    ContainerPhase.EXITED: "CONTAINER_EXITED",
}
"""CRI's word for each phase that clients see."""
_SIGNALS = {int(each): each.name for each in signal.Signals if "RT" not in each.name}
_FIRST_REAL_TIME, _LAST_REAL_TIME = int(signal.SIGRTMIN), int(signal.SIGRTMAX)


def status(
    service: RuntimeService, request: ContainerStatusRequest, _caller: Caller
) -> ContainerStatusResponse | CriRefusal:
    """How a container is."""
    record = find(service, request.container_id)
    if isinstance(record, CriRefusal):
        return record
    return ContainerStatusResponse(status_of(record), _info(service, record) if request.verbose else {})


def find(service: RuntimeService, word: str) -> ContainerRecord | CriRefusal:
    """The container that a client names by its id or the beginning of it, as it is now."""
    found = service.records.find(ContainerRecord, word)
    if found is None or found.phase not in STATES:
        return CriRefusal(CriCode.NOT_FOUND, f"there is no container {word}")
    return observe(service, found)


def running(service: RuntimeService, word: str) -> ContainerRecord | CriRefusal:
    """The same, where it runs."""
    record = find(service, word)
    if isinstance(record, ContainerRecord) and record.phase is not ContainerPhase.RUNNING:
        return CriRefusal(CriCode.FAILED_PRECONDITION, f"container {record.id} is in {STATES[record.phase]} state")
    return record


def status_of(record: ContainerRecord) -> ContainerStatus:
    """The status of a container that was observed."""
    config, ended = record.config, record.phase is ContainerPhase.EXITED
    begun = ended or record.phase is ContainerPhase.RUNNING
    return ContainerStatus(
        id=record.id,
        metadata=config.metadata,
        state=STATES[record.phase],
        created_at=record.created_at,
        started_at=record.started_at if begun else 0,
        finished_at=record.finished_at,
        exit_code=record.exit_code,
        image=_image(record),
        image_ref=record.image_ref,
        reason=record.reason or ((ERROR if record.exit_code else COMPLETED) if ended else ""),
        message=record.message if ended else "",
        labels=config.labels,
        annotations=config.annotations,
        mounts=record.mounts,
        log_path=record.log_path,
        resources=ContainerResources(record.resources or config.linux.resources),
        image_id=record.image_id,
        user=ContainerUser(record.user),
        stop_signal=_signal_name(stop_signal(record)),
    )


def _image(record: ContainerRecord) -> ImageSpec:
    image = record.config.image
    return structs.replace(image, image=record.image_name or image.image)


def _signal_name(number: int) -> str:
    """CRI's name of a signal; real-time signals are counted from the nearer end, as the protocol has them."""
    if number in _SIGNALS:
        return _SIGNALS[number]
    from_first, from_last = number - _FIRST_REAL_TIME, _LAST_REAL_TIME - number
    if from_first <= from_last:
        return f"SIGRTMINPLUS{from_first}" if from_first else "SIGRTMIN"
    return f"SIGRTMAXMINUS{from_last}" if from_last else "SIGRTMAX"


def _info(service: RuntimeService, record: ContainerRecord) -> dict[str, str]:
    """What `crictl inspect` shows beside the status; the members that tools look for are containerd's."""
    try:
        with open(f"{service.records.directory(ContainerRecord, record.id)}/config.json", "rb") as file:
            spec = file.read()
    except FileNotFoundError:
        spec = b"null"
    info = {
        "sandboxID": record.sandbox,
        "pid": record.process.pid,
        "config": record.config,
        "runtimeSpec": msgspec.Raw(spec),
    }
    return {"info": msgspec.json.encode(info).decode()}


def listed(
    service: RuntimeService, request: ListContainersRequest, _caller: Caller
) -> ListContainersResponse | CriRefusal:
    """The containers that a filter wants, the oldest first."""
    wanted = request.filter or ContainerFilter()
    return ListContainersResponse(tuple(_item(record) for record in every(service, wanted)))


def every(service: RuntimeService, wanted: ContainerFilter) -> tuple[ContainerRecord, ...]:
    """The records that a filter wants, as they are now."""
    records = (record for record in service.records.every(ContainerRecord) if _is_meant(record, wanted))
    seen = (observe(service, record) for record in records)
    return tuple(record for record in seen if wanted.state in (None, STATES[record.phase]))


def _is_meant(record: ContainerRecord, wanted: ContainerFilter) -> bool:
    """Whether the filter, but for the state, wants it."""
    return (
        record.phase in STATES
        and record.id.startswith(wanted.id)
        and record.sandbox.startswith(wanted.pod_sandbox_id)
        and wanted.label_selector.items() <= record.config.labels.items()
    )


def _item(record: ContainerRecord) -> Container:
    config = record.config
    return Container(
        id=record.id,
        pod_sandbox_id=record.sandbox,
        metadata=config.metadata,
        image=_image(record),
        image_ref=record.image_ref,
        state=STATES[record.phase],
        created_at=record.created_at,
        labels=config.labels,
        annotations=config.annotations,
        image_id=record.image_id,
    )
