"""Who a process is now, as its own user namespace sees it. What is read here, no container can arrange."""

from __future__ import annotations

from podward.api.identity import Identity
from podward.policy.kernel.identity_drift import four, inside
from podward.runtime import proc


def read(pid: int) -> Identity:
    """The identity of process `pid`. Raises OSError, ValueError or KeyError where it is gone."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="surrogateescape") as file:
        status = proc.parse_status(file.read())
    users, groups = proc.id_map(pid, "uid_map"), proc.id_map(pid, "gid_map")
    return Identity(
        uid=four(proc.four_ids(status["Uid"]), users),
        gid=four(proc.four_ids(status["Gid"]), groups),
        groups=tuple(sorted(inside(int(word), groups) for word in status["Groups"].split())),
        cap_inheritable=int(status["CapInh"], 16),
        cap_permitted=int(status["CapPrm"], 16),
        cap_effective=int(status["CapEff"], 16),
        cap_bounding=int(status["CapBnd"], 16),
        cap_ambient=int(status["CapAmb"], 16),
        no_new_privs=status["NoNewPrivs"] == "1",
        seccomp=int(status["Seccomp"]),
    )
