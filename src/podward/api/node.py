"""Facts about this machine and its configuration, which `runtime` gathers once."""

from __future__ import annotations

from msgspec import Struct

from podward.api.capability import CAP_SYS_RESOURCE
from podward.api.cri import IDMapping

IdMap = tuple[tuple[int, int, int], ...]
"""Lines of /proc/PID/uid_map or gid_map: (inside, outside, length)."""
IDENTITY: IdMap = ((0, 0, 4294967295),)
"""The map of the machine's own user namespace."""


class Node(Struct, frozen=True, gc=False):
    """The node as a kubelet and a runtime know it.

    `capabilities` is the mask of root's capabilities on this machine. `special_paths` are the existing ones among the
    paths that runtimes mask or make read-only. `lsm` is "apparmor", "selinux" or "", `apparmor_profiles` the names of
    those that are loaded, None where that is not known. `runtime` is the OCI runtime's kind: "crun", "runc" or "runsc".
    `runtime_defaults` is the name of the CRI runtime whose defaults are imitated.
    `memory` and `ephemeral_storage` are in bytes, 0 if they are not known; nothing of them, nor of the `cpus`, is
    reserved, so that all is allocatable. `recursive_read_only` is whether the OCI runtime's `features` list the
    mount option `rro`.

    `uid_map` and `gid_map` are those of the user namespace in which Podward itself is: another than the machine's own
    where an ordinary user has started it. `cgroups` is whether it may make cgroups, without which nothing limits a
    container; `cgroup_v2` whether the machine has nothing but cgroup v2. `name` and `addresses` are those that its
    Pods are told.
    """

    capabilities: int
    runtime: str = "crun"
    runtime_defaults: str = "containerd"
    lsm: str = ""
    apparmor_profiles: frozenset[str] | None = None
    seccomp_default: bool = False
    seccomp_root: str = "/var/lib/kubelet/seccomp"
    userns_supported: bool = True
    supplemental_groups_policy: bool = True
    userns: IDMapping | None = None
    allowed_unsafe_sysctls: tuple[str, ...] = ()
    special_paths: frozenset[str] = frozenset()
    kernel: str = ""
    cpus: int = 1
    memory: int = 0
    ephemeral_storage: int = 0
    recursive_read_only: bool = True
    uid_map: IdMap = IDENTITY
    gid_map: IdMap = IDENTITY
    cgroups: bool = True
    cgroup_v2: bool = False
    name: str = "localhost"
    addresses: tuple[str, ...] = ("127.0.0.1",)

    @property
    def in_user_namespace(self) -> bool:
        """Whether Podward is root of a user namespace, and not of the machine."""
        return self.uid_map != IDENTITY

    @property
    def lowers_oom_scores(self) -> bool:
        """Whether an oom_score_adj may be lower than ours: CAP_SYS_RESOURCE counts on the machine itself alone."""
        return bool(self.capabilities & CAP_SYS_RESOURCE) and not self.in_user_namespace
