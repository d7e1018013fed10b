"""What `podward run -o json` prints at its end."""

from __future__ import annotations

from msgspec import Struct

from podward.api.process import ProcessState


class User(Struct, frozen=True, rename="camel"):
    """As in `status.containerStatuses[].user.linux`."""

    uid: int
    gid: int
    supplemental_groups: tuple[int, ...]


class ContainerResult(Struct, frozen=True, rename="camel"):
    """One container: how it ended, who it was, and what was predicted and observed of its last process."""

    name: str
    kind: str
    exit_code: int
    restarts: int
    user: User | None = None
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
    """The whole call."""

    exit_code: int
    pods: tuple[PodResult, ...]
