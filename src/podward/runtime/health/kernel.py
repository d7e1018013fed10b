"""Checks of the kernel: what it allows this process to do, and its features."""

from __future__ import annotations

import os

from podward.api.capability import FULL, names
from podward.api.node import IDENTITY
from podward.runtime import apparmor, machine, probe
from podward.runtime.health import trials
from podward.runtime.health.health_check import LIMITED, MISSING, OK, HealthCheck, health_check

_RIGHTS, _FEATURES, _LABELS = "privileges", "kernel", "labels"
_WITHOUT = {
    "CAP_SYS_ADMIN": "no namespaces and no mounts: no Pod can run",
    "CAP_SETUID": "no process can become another user: no Pod can run",
    "CAP_SETGID": "no process can get its groups: no Pod can run",
    "CAP_SYS_CHROOT": "no container can get its own root: no Pod can run",
    "CAP_SYS_RESOURCE": "lowering oom_score_adj (Guaranteed Pods) and raising hard limits fail",
    "CAP_SYS_PTRACE": "`podward run --verify` cannot observe processes",
    "CAP_NET_ADMIN": "Pods with a network of their own cannot be connected",
    "CAP_MKNOD": "device nodes cannot be made for containers",
    "CAP_CHOWN": "fsGroup cannot be applied",
    "CAP_DAC_OVERRIDE": "files of other users cannot be reached",
}
_FATAL = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_CHROOT")
_GRANT = "give it to this process (a container: `--cap-add`; a service: CapabilityBoundingSet=)"


def rights() -> list[HealthCheck]:
    """Checks of root, capabilities and no_new_privs."""
    root = os.geteuid() == 0
    found = machine.capabilities()
    missing = names(FULL & ~found)
    checks = [
        health_check(
            (_RIGHTS, "root"),
            OK if root else MISSING,
            f"uid {os.geteuid()}" if machine.id_map("uid_map") == IDENTITY else "of a user namespace",
            ("containers cannot be made", "run it with sudo"),
            required=True,
        )
    ]
    if not missing:
        checks.append(health_check((_RIGHTS, "capabilities"), OK, f"all {len(names(FULL))}"))
    for name in missing:
        what = _WITHOUT.get(name, "it cannot be granted to any container; `add: [ALL]` grants the others")
        state = MISSING if name in _FATAL else LIMITED
        checks.append(health_check((_RIGHTS, name), state, "not ours", (what, _GRANT), required=name in _FATAL))
    locked = _status_field("NoNewPrivs") == "1"
    consequence = "set-user-ID files and file capabilities have no effect in any container"
    remedy = "start it from a process without no_new_privs (systemd: NoNewPrivileges=no)"
    checks.append(
        health_check(
            (_RIGHTS, "no_new_privs"),
            LIMITED if locked else OK,
            "set on this process" if locked else "not set",
            (consequence, remedy),
        )
    )
    return checks


def features(directory: str) -> list[HealthCheck]:
    """Checks of the kernel's version and features; these are tried out below `directory`."""
    release = os.uname().release
    new_enough = _version(release) >= (5, 12)
    checks = [
        health_check(
            (_FEATURES, "version"),
            OK if new_enough else LIMITED,
            release,
            ("no id-mapped mounts, no recursive read-only", "Linux 5.12 or later (Debian 12 has 6.1)"),
        ),
        _cgroups(),
        *_seccomp(),
        _tried(
            "mount namespace",
            trials.attempt(trials.mount_namespace),
            "no Pod can run",
            "run as root with CAP_SYS_ADMIN (a container: --privileged)",
            required=True,
        ),
        _tried(
            "network namespace",
            trials.attempt(trials.network_namespace(directory)),
            "only hostNetwork Pods run",
            "a kernel with CONFIG_NET_NS",
        ),
        _tried(
            "overlayfs",
            trials.attempt(trials.overlay(directory, mapped=False)),
            "containers get no root file system",
            "put the state directory (PODWARD_ROOT) on ext4 or xfs; `modprobe overlay`",
            required=True,
        ),
    ]
    return checks + _user_namespaces(directory)


def labels() -> list[HealthCheck]:
    """Checks of AppArmor and SELinux."""
    module = machine.security_module()
    found, consequence, remedy = ("enabled", "", "") if module == "apparmor" else _without_apparmor()
    state_of = OK if module == "apparmor" else LIMITED
    apparmor_check = health_check((_LABELS, "AppArmor"), state_of, found, (consequence, remedy))
    selinux = health_check(
        (_LABELS, "SELinux"),
        OK if module == "selinux" else LIMITED,
        "enabled" if module == "selinux" else "not in this kernel",
        ("labels are decided and shown, and not enforced", "boot a kernel with SELinux (selinux=1)"),
    )
    return [apparmor_check, selinux]


def _without_apparmor() -> tuple[str, str, str]:
    """What there is instead, what follows, and what to do."""
    refused = "a Pod that asks for one is refused, as a kubelet does"
    if not machine.apparmor_enforced():
        return (
            "not in this kernel",
            f"profiles are decided and shown; {refused}",
            "boot a kernel with AppArmor (Debian: `apt install apparmor`, lsm=…,apparmor)",
        )
    none = f"containers get no profile, but keep the one that Podward has; {refused}"
    if not os.path.isdir(apparmor.HOME):
        mounting = "mount -t securityfs securityfs /sys/kernel/security, or run it outside of a container"
        return "in the kernel, and not in sight", none, mounting
    if not apparmor.parser():
        return "in the kernel, without apparmor_parser", none, "apt install apparmor"
    return (
        "in the kernel; no profile can be loaded",
        none,
        "as root, `podward run` of any Pod loads the default profile",
    )


def _cgroups() -> HealthCheck:
    layout, _ = probe.cgroup_layout()
    if layout == "v2":
        listed = probe.controllers("/sys/fs/cgroup")
        return health_check((_FEATURES, "cgroups"), OK, f"v2 ({' '.join(listed) or 'no controller'})")
    if layout == "none":
        return health_check(
            (_FEATURES, "cgroups"),
            MISSING,
            "not mounted",
            ("no resource is limited, and runtimes may refuse", "mount -t cgroup2 none /sys/fs/cgroup"),
            required=True,
        )
    mounted = sorted(name for name in os.listdir("/sys/fs/cgroup") if name not in {"unified", "systemd"})
    hidden = "; crun is shown no unified hierarchy" if layout == "hybrid" else ""
    return health_check((_FEATURES, "cgroups"), OK, f"{layout} ({' '.join(mounted)}){hidden}")


def _seccomp() -> list[HealthCheck]:
    actions = _read("/proc/sys/kernel/seccomp/actions_avail").split()
    filters = health_check(
        (_FEATURES, "seccomp"),
        OK if "errno" in actions else MISSING,
        " ".join(actions) or "not in this kernel",
        ("no seccomp profile can be enforced", "a kernel with CONFIG_SECCOMP_FILTER"),
        required=True,
    )
    scope = _read("/proc/sys/kernel/yama/ptrace_scope").strip()
    ptrace = health_check(
        (_FEATURES, "ptrace"),
        LIMITED if scope == "3" else OK,
        f"yama ptrace_scope {scope}" if scope else "no yama",
        ("`podward run --verify` cannot observe processes", "reboot with kernel.yama.ptrace_scope below 3"),
    )
    return [filters, ptrace]


def _user_namespaces(directory: str) -> list[HealthCheck]:
    refused = "Pods with hostUsers: false are refused"
    made = trials.attempt(trials.user_namespace(directory))
    checks = [_tried("user namespaces", made, refused, "sysctl user.max_user_namespaces=15000")]
    if made or machine.id_map("uid_map") != IDENTITY:  # mounts are id-mapped by the machine's root alone
        return checks
    newer = "Linux 5.19 for overlays, 6.3 for tmpfs, and ext4, xfs or btrfs for the state directory"
    for name, act, consequence in (
        ("id-mapped mounts", trials.idmapped_mount(directory, memory=False), refused),
        ("id-mapped tmpfs", trials.idmapped_mount(directory, memory=True), "hostUsers: false without tmpfs volumes"),
        ("id-mapped overlay", trials.overlay(directory, mapped=True), refused),
    ):
        checks.append(_tried(name, trials.attempt(act), consequence, newer))
    return checks


def _tried(name: str, error: str, consequence: str, remedy: str, *, required: bool = False) -> HealthCheck:
    state = MISSING if error else OK
    return health_check((_FEATURES, name), state, error or "works", (consequence, remedy), required=required)


def _status_field(name: str) -> str:
    for line in _read("/proc/self/status").splitlines():
        if line.startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""


def _version(release: str) -> tuple[int, int]:
    numbers = [int("".join(c for c in part if c.isdigit()) or 0) for part in release.split(".")[:2]]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _read(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:
        return ""
