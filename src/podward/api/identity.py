"""Who the first process of a container is: as it was decided, predicted, and as the kernel says now.

Ids are those inside the container's own user namespace; capability sets are the masks of `/proc/PID/status`.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri_status import LinuxContainerUser


class Identity(Struct, frozen=True):
    """What a process may do by who it is. `uid` and `gid` are the real, effective, saved and file system ids."""

    uid: tuple[int, int, int, int]
    gid: tuple[int, int, int, int]
    groups: tuple[int, ...]
    cap_inheritable: int
    cap_permitted: int
    cap_effective: int
    cap_bounding: int
    cap_ambient: int
    no_new_privs: bool
    seccomp: int


class ContainerIdentity(Struct, frozen=True):
    """The identity of a run of a container.

    `decided` is what its status says the process began with (`user.linux`), `predicted` what follows for it from its
    runtime spec and its entry file; where nobody knows, `unpredicted` says why. `drift` are sentences about what has
    changed since. Without a process there is nothing observed.
    """

    name: str
    run: str
    pid: int = 0
    decided: LinuxContainerUser | None = None
    predicted: Identity | None = None
    unpredicted: str = ""
    observed: Identity | None = None
    drift: tuple[str, ...] = ()
    told: bool = False


class PodIdentity(Struct, frozen=True):
    """The identities of a Pod's containers on its node."""

    uid: str
    node: str
    containers: tuple[ContainerIdentity, ...] = ()
