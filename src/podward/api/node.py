"""Facts about this machine and its configuration, gathered once by the runtime room."""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import IDMapping


class Node(Struct, frozen=True, gc=False):
    """The node as a kubelet and a runtime know it.

    `capabilities` is the mask of what root on this machine has. `special_paths` are those of the paths that runtimes
    mask or make read-only which exist here. `lsm` is "apparmor", "selinux" or "". `runtime` is the OCI runtime's
    kind: "crun", "runc" or "runsc". `runtime_defaults` names the table of the CRI runtime that is imitated. `memory` is
    in bytes, 0 where nobody knows. `recursive_read_only`: the OCI runtime's `features` list the mount option `rro`.
    """

    capabilities: int
    runtime: str = "crun"
    runtime_defaults: str = "containerd"
    lsm: str = ""
    seccomp_default: bool = False
    seccomp_root: str = "/var/lib/kubelet/seccomp"
    userns_supported: bool = True
    supplemental_groups_policy: bool = True
    userns: IDMapping | None = None
    allowed_unsafe_sysctls: tuple[str, ...] = ()
    special_paths: frozenset[str] = frozenset()
    kernel: str = ""
    memory: int = 0
    recursive_read_only: bool = True
