"""What the CRI runtime has of a Pod: its sandboxes and all runs of its containers, by their labels.

Specification (kubelet, `GetPodStatus` and `getTerminationMessage` of pkg/kubelet/kuberuntime, in our words): what an
ended container left in its termination log, at most its last 4096 bytes, becomes its message, behind what the runtime
says. One that failed without such words, under FallbackToLogsOnError, is told by the end of its log: at most 80 lines
and 2048 bytes of it.
"""

from __future__ import annotations

import os
import stat

from msgspec import Struct, structs

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    ContainerStatusRequest,
    ListContainersRequest,
    ListPodSandboxRequest,
    PodSandboxStatusRequest,
)
from podward.api.cri_status import ContainerFilter, ContainerStatus, PodSandboxFilter, PodSandboxStatus
from podward.api.pod_seen import EXITED, ContainerRun
from podward.node.runtime import Runtime
from podward.policy.kubelet import cri_names
from podward.runtime.service import verbs

_MOST, _MOST_OF_LOG, _MOST_LINES = 4096, 2048, 80
_CANNOT_RUN = "ContainerCannotRun"
_FALL_BACK = "FallbackToLogsOnError"


class Look(Struct, frozen=True):
    """What there is of a Pod, the newest first; `containers` by name."""

    sandboxes: tuple[PodSandboxStatus, ...] = ()
    containers: dict[str, tuple[ContainerRun, ...]] = {}

    @property
    def runs(self) -> list[ContainerRun]:
        """All runs of all containers."""
        return [run for runs in self.containers.values() for run in runs]


async def look(runtime: Runtime, uid: str) -> Look | CriRefusal:
    """Everything of the Pod with this uid."""
    labels = {cri_names.POD_UID: uid}
    listed = await runtime.call(verbs.LIST_POD_SANDBOX, ListPodSandboxRequest(PodSandboxFilter(label_selector=labels)))
    if isinstance(listed, CriRefusal):
        return listed
    sandboxes = []
    for item in listed.items:
        found = await runtime.call(verbs.POD_SANDBOX_STATUS, PodSandboxStatusRequest(item.id))
        if not isinstance(found, CriRefusal) and found.status is not None:
            sandboxes.append(found.status)
    containers = await runtime.call(
        verbs.LIST_CONTAINERS, ListContainersRequest(ContainerFilter(label_selector=labels))
    )
    if isinstance(containers, CriRefusal):
        return containers
    runs: dict[str, list[ContainerRun]] = {}
    for each in sorted(containers.containers, key=lambda item: item.created_at, reverse=True):
        told = await runtime.call(verbs.CONTAINER_STATUS, ContainerStatusRequest(each.id))
        if not isinstance(told, CriRefusal) and told.status is not None:
            run = ContainerRun(_with_last_words(told.status), each.pod_sandbox_id)
            runs.setdefault(told.status.metadata.name, []).append(run)
    newest = sorted(sandboxes, key=lambda sandbox: sandbox.created_at, reverse=True)
    return Look(tuple(newest), {name: tuple(each) for name, each in runs.items()})


def _with_last_words(status: ContainerStatus) -> ContainerStatus:
    if status.state != EXITED:
        return status
    words = _termination_message(status)
    falls_back = status.annotations.get(cri_names.MESSAGE_POLICY) == _FALL_BACK
    if not words and falls_back and status.exit_code != 0 and status.reason != _CANNOT_RUN:
        words = _end_of_log(status.log_path)
    if not words:
        return status
    return structs.replace(status, message=f"{status.message}: {words}" if status.message else words)


def _termination_message(status: ContainerStatus) -> str:
    path = status.annotations.get(cri_names.MESSAGE_PATH)
    mount = next((mount for mount in status.mounts if path and mount.container_path == path), None)
    if mount is None:
        return ""
    try:
        return _tail(mount.host_path, _MOST)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"Error on reading termination log {mount.host_path}: {error.strerror}"


def _end_of_log(file: str) -> str:
    """The last lines of a log in CRI's form, without times and streams."""
    try:
        text = _tail(file, 4 * _MOST_OF_LOG * 8)
    except OSError:
        return ""
    parts: list[str] = []
    for line in text.split("\n")[-_MOST_LINES - 1 :]:
        fields = line.split(" ", 3)
        if len(fields) == 4:
            parts.append(fields[3] + ("\n" if fields[2] == "F" else ""))
    return "".join(parts).encode()[-_MOST_OF_LOG:].decode(errors="replace")


def _tail(file: str, most: int) -> str:
    """The end of a regular file; what a container has written, so it may be anything."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as opened:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            return ""
        opened.seek(max(0, facts.st_size - most))
        return opened.read(most).decode(errors="replace")
