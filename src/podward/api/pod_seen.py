"""What is seen of a Pod on its node: the facts from which its next steps and its status are decided.

Times are seconds since 1970, but for those of CRI's messages, which are nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.cri import LinuxContainerResources
from podward.api.cri_status import ContainerStatus, PodSandboxStatus

CREATED, RUNNING, EXITED = "CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED"
"""The states of a run; any other one is unknown."""
READY = "SANDBOX_READY"
HASH = "io.kubernetes.container.hash"
"""The annotation of a run that tells of which definition it was made."""


class ContainerRun(Struct, frozen=True):
    """One run of a container, in the sandbox with this id.

    `status.message` is what the runtime says and what the container left as its termination message.
    """

    status: ContainerStatus
    sandbox: str = ""

    @property
    def attempt(self) -> int:
        """How often the container had been made before."""
        return self.status.metadata.attempt

    @property
    def finished(self) -> float:
        """When it ended, in seconds."""
        return self.status.finished_at / 1e9


class Failure(Struct, frozen=True):
    """Why a container could not be started: the reason and the message of its waiting state."""

    reason: str
    message: str = ""


class BackOff(Struct, frozen=True):
    """How long a container or an image has to wait before it is tried again, and since when that is so."""

    seconds: float
    updated: float


class ContainerSeen(Struct, frozen=True):
    """What is seen of a container: its runs in any sandbox, the newest first.

    `failure` is why the last attempt to start it was none; it is forgotten when one succeeds. `back_off` is that of its
    crashes. Of the probes it is the verdict about the newest run: None where there is none yet, or no such probe.
    """

    runs: tuple[ContainerRun, ...] = ()
    failure: Failure | None = None
    back_off: BackOff | None = None
    startup: bool | None = None
    liveness: bool | None = None
    readiness: bool | None = None


NOTHING = ContainerSeen()


class PodEnding(Struct, frozen=True):
    """Why a Pod that is not deleted is to end all the same: evicted, preempted, past its deadline, or not admitted.

    A Pod that is `rejected` never had anything on this node. `disruption` is the message of its DisruptionTarget
    condition; "" for an end that is no disruption.
    """

    reason: str
    message: str
    rejected: bool = False
    disruption: str = ""


class ResizeTold(Struct, frozen=True):
    """A condition about resources that change: `PodResizePending` or `PodResizeInProgress`."""

    type: str
    generation: int
    reason: str = ""
    message: str = ""


class PodSeen(Struct, frozen=True):
    """What is seen of a Pod at the moment `now`.

    `sandboxes` has the newest first, `containers` is by name. `runtime` is the name before a container's id. `deleted`
    is whether deletion was asked for, and `grace` the seconds it gives. `stopped` is whether all containers are known
    to have ended and none will be started: then the status may become terminal. `host_ips` are the node's addresses,
    `recursive_read_only` whether the Pod's runtime handler can mount so, `cgroup` what the Pod's cgroup may take.
    """

    now: float
    sandboxes: tuple[PodSandboxStatus, ...] = ()
    containers: Mapping[str, ContainerSeen] = {}
    runtime: str = "podward"
    host_ips: tuple[str, ...] = ()
    deleted: bool = False
    grace: int | None = None
    ending: PodEnding | None = None
    stopped: bool = False
    resizes: tuple[ResizeTold, ...] = ()
    recursive_read_only: bool = True
    cgroup: LinuxContainerResources | None = None

    def of(self, container: str) -> ContainerSeen:
        """What is seen of this container."""
        return self.containers.get(container, NOTHING)

    def newest(self, container: str) -> ContainerRun | None:
        """The container's newest run."""
        runs = self.of(container).runs
        return runs[0] if runs else None
