"""Checks of what an ordinary user can have here: a user namespace, ids, and what only the machine's root has."""

from __future__ import annotations

from podward.api.node import IDENTITY
from podward.policy.kernel.user_namespace import spans
from podward.runtime import cgroups, machine, probe, syscalls, userns
from podward.runtime.health import trials
from podward.runtime.health.health_check import LIMITED, MISSING, OK, HealthCheck, health_check

GROUP = "without root"
_AS_ROOT = "run it as root: `sudo podward …`"
_SWITCHES = (
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
)
"""What keeps users from making user namespaces: a file, its content then, and the sysctl that changes it."""


def refused() -> list[HealthCheck]:
    """The check that tells a user why he has no user namespace here, which is made for him before anything else."""
    from podward.runtime import rootless

    error = rootless.Refusal.what or trials.attempt(lambda: syscalls.unshare(syscalls.CLONE_NEWUSER))
    switch = next((f"sysctl {words}" for file, content, words in _SWITCHES if _text(file) == content), "")
    otherwise = ("no Pod can run", switch or _AS_ROOT)
    return [
        health_check((GROUP, "user namespace"), MISSING if error else OK, error or "works", otherwise, required=True)
    ]


def limits() -> list[HealthCheck]:
    """Checks of a user who is root of his namespace; none for the machine's root."""
    if machine.id_map("uid_map") == IDENTITY:
        return []
    return [_ids(), _tool(), _cgroups(), _nested(), _network(), _ports()]


def _ids() -> HealthCheck:
    uids, gids = machine.id_map("uid_map"), machine.id_map("gid_map")
    alone = max(sum(length for _, _, length in lines) for lines in (uids, gids)) == 1
    return health_check(
        (GROUP, "subordinate ids"),
        LIMITED if alone else OK,
        "none: 0 is all that there is" if alone else f"uids {spans(uids)}; gids {spans(gids)}",
        (
            "only Pods run whose processes are all root, without other groups or fsGroup",
            "as root: `usermod --add-subuids 100000-231071 --add-subgids 100000-231071 USER`, then end what runs",
        ),
    )


def _tool() -> HealthCheck:
    found = [probe.find(name) for name in ("newuidmap", "newgidmap")]
    otherwise = ("the ids of /etc/subuid and /etc/subgid can't be had", "apt install uidmap")
    state = OK if all(found) else MISSING
    return health_check(
        (GROUP, "newuidmap, newgidmap"), state, " ".join(filter(None, found)) or "not installed", otherwise
    )


def _cgroups() -> HealthCheck:
    usable = cgroups.usable()
    return health_check(
        (GROUP, "cgroups"),
        OK if usable else LIMITED,
        "ours" if usable else "not ours",
        ("limits of memory, CPU and processes are decided and shown, not enforced; nor are device lists", _AS_ROOT),
    )


def _nested() -> HealthCheck:
    there = userns.slots()
    number = len(there.numbers)
    return health_check(
        (GROUP, "hostUsers: false"),
        LIMITED,
        f"{number} such Pod{'s' * (number != 1)} at a time" if number else "not enough ids",
        (
            "each takes 65536 ids; images are copied for it, and none of the machine's files can be mounted",
            "add ranges for more; run it as root for id-mapped mounts",
        ),
    )


def _network() -> HealthCheck:
    consequence = "a Pod has the loopback device alone, or with hostNetwork the machine's; `--network` is refused"
    return health_check((GROUP, "networks"), LIMITED, "bridges are root's to make", (consequence, _AS_ROOT))


def _ports() -> HealthCheck:
    first = _text("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return health_check(
        (GROUP, "ports"),
        OK if first == "0" else LIMITED,
        f"from {first}",
        (f"with hostNetwork no Pod listens on a port below {first}", "sysctl net.ipv4.ip_unprivileged_port_start=0"),
    )


def _text(file: str) -> str:
    try:
        with open(file, encoding="ascii", errors="replace") as opened:
            return opened.read().strip()
    except OSError:
        return ""
