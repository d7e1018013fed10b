"""The result of `podward run -o json`, which is printed at its end."""

from __future__ import annotations

from msgspec import Struct

from podward.api.process import ProcessState


class ProcessUser(Struct, frozen=True, rename="camel"):
    """The user of a process, as in `status.containerStatuses[].user.linux`."""

    uid: int
    gid: int
    supplemental_groups: tuple[int, ...]


class ContainerResult(Struct, frozen=True, rename="camel"):
    """One container: its exit code, its user, and the predicted and the observed state of its last process."""

    name: str
    kind: str
    exit_code: int
    restarts: int
    user: ProcessUser | None = None
    predicted: ProcessState | None = None
    observed: ProcessState | None = None
    differences: tuple[str, ...] = ()


class PodResult(Struct, frozen=True, rename="camel"):
    """One Pod."""

    name: str
    namespace: str
    exit_code: int
    containers: tuple[ContainerResult, ...]


class RunResult(Struct, frozen=True, rename="camel"):
    """The whole run."""

    exit_code: int
    pods: tuple[PodResult, ...]
