"""The state of a process as the kernel reports it: the kernel stage predicts it, and `runtime` observes it.

The two must be equal; that is Podward's proof. Capability sets are the bit masks of `/proc/PID/status`; ids are those
seen from the host (the initial user namespace).
"""

from __future__ import annotations

from msgspec import Struct


class MountState(Struct, frozen=True, order=True, gc=False):
    """A mount in the process's mount namespace with its flags (`/proc/PID/mountinfo`).

    `propagation` is `private`, `shared`, `slave` or `shared slave` (mount_namespaces(7)).
    """

    destination: str
    readonly: bool = False
    nosuid: bool = False
    nodev: bool = False
    noexec: bool = False
    propagation: str = "private"


class ProcessState(Struct, frozen=True, gc=False):
    """The state of a process just after its execve(2).

    `uid` and `gid` are the real, effective, saved and file system ids. `groups` is sorted, as the kernel keeps it.
    `uid_map` and `gid_map` are lines of (inside, outside, length). `mounts` are the mounts of the runtime spec, sorted.
    `masked` and `readonly_paths` are those of the spec's paths that exist and are covered. `host_namespaces` are the
    names of the namespaces shared with the host. `seccomp` is 0 (none) or 2 (filter). `label` is the LSM's label, None
    if no LSM labels processes. `devices` are those of the devices that are watched (`policy.kernel.devices`) that the
    device list lets the process open, `all` for every one.
    """

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
    uid_map: tuple[tuple[int, int, int], ...]
    gid_map: tuple[tuple[int, int, int], ...]
    root_readonly: bool
    mounts: tuple[MountState, ...]
    masked: tuple[str, ...]
    readonly_paths: tuple[str, ...]
    host_namespaces: tuple[str, ...]
    oom_score_adj: int
    label: str | None = None
    devices: tuple[str, ...] = ()
