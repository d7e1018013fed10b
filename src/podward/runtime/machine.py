"""The facts about this machine that decide a Pod: capabilities, security modules, kernel, memory.

All of them are read from /proc and /sys in well under a millisecond; nothing is started, nothing is tried out. What
takes a trial is `podward.runtime.health`'s.
"""

from __future__ import annotations

import os

from podward.api.capability import CAP_MAC_ADMIN
from podward.api.node import IDENTITY, IdMap, Node
from podward.errors import NodeError
from podward.policy.kubelet import masked_paths
from podward.policy.runtime import defaults
from podward.runtime import apparmor, cgroups

SPECIAL_PATHS = (*masked_paths.MASKED, *masked_paths.READONLY, "/sys/dev/block", "/sys/fs/selinux")
"""All paths that the kubelet or an imitated runtime masks or makes read-only."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
"""Go's names of what uname(2) calls the machine."""


def gather(runtime: str = "crun", runtime_defaults: str = "containerd") -> Node:
    """The node as this process finds it; `runtime` is the OCI runtime's kind. Raises NodeError without /proc."""
    module = security_module(runtime_defaults)
    return Node(
        capabilities=capabilities(),
        runtime=runtime,
        runtime_defaults=runtime_defaults,
        lsm=module,
        apparmor_profiles=apparmor.loaded() if module == "apparmor" else None,
        userns_supported=user_namespaces() > 0,
        special_paths=frozenset(path for path in SPECIAL_PATHS if os.path.exists(path)),
        kernel=os.uname().release,
        cpus=os.cpu_count() or 1,
        memory=memory(),
        ephemeral_storage=_ephemeral_storage(),
        uid_map=id_map("uid_map"),
        gid_map=id_map("gid_map"),
        cgroups=cgroups.usable(),
        cgroup_v2=os.path.exists("/sys/fs/cgroup/cgroup.controllers"),
    )


def id_map(name: str) -> IdMap:
    """The `uid_map` or `gid_map` of this process; the machine's own where the kernel has no user namespaces."""
    try:
        with open(f"/proc/self/{name}", encoding="ascii", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return IDENTITY
    return tuple((int(inside), int(outside), int(length)) for inside, outside, length in lines)


def capabilities() -> int:
    """The mask that a container can be given at most: what is both effective and in the bounding set here."""
    found = {"CapEff": 0, "CapBnd": 0}
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            for line in status:
                name, _, value = line.partition(":")
                if name in found:
                    found[name] = int(value, 16)
    except OSError as error:
        advice = "mount /proc: `mount -t proc proc /proc`"
        raise NodeError(f"cannot read our capabilities: {error.strerror}", where="/proc", advice=advice) from error
    return found["CapEff"] & found["CapBnd"]


def security_module(runtime_defaults: str = "containerd") -> str:
    """`apparmor`, `selinux`, or empty where no container can be given a label."""
    if apparmor_enforced():
        may_load = bool(capabilities() & CAP_MAC_ADMIN) and id_map("uid_map") == IDENTITY
        default = defaults.load(runtime_defaults).apparmor_profile
        return "apparmor" if apparmor.usable(default, may_load=may_load) else ""
    if os.path.exists("/sys/fs/selinux/enforce"):
        return "selinux"
    return ""


def apparmor_enforced() -> bool:
    """Whether this kernel enforces AppArmor, whoever may make use of it."""
    return _first_line(apparmor.ENABLED) == "Y"


def oom_score_adj() -> int:
    """The adjustment of this process, which what it starts inherits (proc(5))."""
    return int(_first_line("/proc/self/oom_score_adj") or 0)


def stack_limit() -> int:
    """The soft limit of the stack, in bytes, which what this process starts inherits."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return soft if soft >= 0 else 1 << 62  # RLIM_INFINITY


def architecture() -> str:
    """Go's name of this machine's architecture; the kernel's own where Go has no other."""
    name = os.uname().machine
    return _ARCHITECTURES.get(name, name)


def user_namespaces() -> int:
    """How many user namespaces the kernel allows; 0 where it has none."""
    if not os.path.exists("/proc/self/ns/user"):
        return 0
    allowed = _first_line("/proc/sys/user/max_user_namespaces")
    return int(allowed) if allowed.isdigit() else 0


def memory() -> int:
    """Bytes of this machine's memory; 0 where /proc/meminfo does not say."""
    fields = _first_line("/proc/meminfo").split()
    return int(fields[1]) * 1024 if len(fields) == 3 and fields[0] == "MemTotal:" else 0


def _ephemeral_storage() -> int:
    """Bytes of the file system that holds what Pods write."""
    found = os.statvfs("/")
    return found.f_blocks * found.f_frsize


def _first_line(file: str) -> str:
    """The first line without white space around it; empty where there is no such file."""
    try:
        with open(file, encoding="ascii", errors="replace") as opened:
            return opened.readline().strip()
    except OSError:
        return ""
