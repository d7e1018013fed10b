"""Sysctls: their names, and none of a namespace that is the host's.

Specification: Kubernetes, validateSysctls and ValidateHostSysctl. At most 253 characters of segments joined by
`.` or `/`. Names are compared as they are written. `net.` belongs to the network; `fs.mqueue.` and some names of
`kernel.` to IPC. A `*` and what follows it don't count there. The host check holds also for a name that is refused
already.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, PodSpec
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import duplicate, invalid, required

_LONGEST = 253
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_RULE = f"must have at most {_LONGEST} characters and match regex ^({_SEGMENT}[\\./])*{_SEGMENT}$"
_EDGES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INSIDE = _EDGES | {"-", "_"}
_IPC = frozenset(
    ("kernel.sem", "kernel.shm", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
     "kernel.msg", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni")
)  # fmt: skip


def check(context: PodSecurityContext, spec: PodSpec, at: Path) -> Decision:
    """The Pod's `sysctls`."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, sysctl in enumerate(context.sysctls or ()):
        name, place = sysctl.name or "", at / index / "name"
        if not name:
            found.append(required(place))
        elif not is_name(name):
            found.append(invalid(place, name, _RULE))
        elif name in seen:
            found.append(duplicate(place, name))
        seen.add(name)
        found.append(_of_the_host(name, spec, place))
    return merge(*found)


def is_name(name: str) -> bool:
    """Whether this is the name of a sysctl."""
    return len(name) <= _LONGEST and all(
        part and part[0] in _EDGES and part[-1] in _EDGES and _INSIDE.issuperset(part)
        for part in name.replace("/", ".").split(".")
    )


def namespace(name: str) -> str:
    """`net`, `ipc`, or empty for what is in no namespace of a Pod."""
    known = dotted_name(name).partition("*")[0]
    if known.startswith("net."):
        return "net"
    return "ipc" if known in _IPC or known.startswith("fs.mqueue.") else ""


def dotted_name(name: str) -> str:
    """The name with dots for separators: where the first separator is `/`, the two change places."""
    for char in name:
        if char == ".":
            return name
        if char == "/":
            return name.translate({ord("."): "/", ord("/"): "."})
    return name


def _of_the_host(name: str, spec: PodSpec, at: Path) -> Decision:
    owner = namespace(name)
    if owner == "net" and spec.host_network:
        return invalid(at, name, "may not be specified when 'hostNetwork' is true")
    if owner == "ipc" and spec.host_ipc:
        return invalid(at, name, "may not be specified when 'hostIPC' is true")
    return Decision()
