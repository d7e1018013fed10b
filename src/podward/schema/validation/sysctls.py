"""Sysctls: their names, and none of a namespace that is the host's.

Specification: Kubernetes, validateSysctls and ValidateHostSysctl. At most 253 characters of segments joined by
`.` or `/`. Names are compared as they are written. `net.` belongs to the network; `fs.mqueue.` and some names of
`kernel.` to IPC. A `*` and what follows it don't count there. The host check holds also for a name that is refused
already.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import NOTHING, Place, duplicate, invalid, required
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_LONGEST = 253
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_RULE = f"must have at most {_LONGEST} characters and match regex ^({_SEGMENT}[\\./])*{_SEGMENT}$"
_EDGES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_INSIDE = _EDGES | {"-", "_"}
_IPC = frozenset(
    ("kernel.sem", "kernel.shm", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
     "kernel.msg", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni")
)  # fmt: skip


def check(context: JsonObject, scope: Scope, at: Place) -> Decision:
    """The Pod's `sysctls`."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, sysctl in enumerate(objects(context, "sysctls")):
        name, place = text(sysctl, "name"), at / "sysctls" / index / "name"
        if not name:
            found.append(required(place))
        elif not is_name(name):
            found.append(invalid(place, name, _RULE))
        elif name in seen:
            found.append(duplicate(place, name))
        seen.add(name)
        found.append(_of_the_host(name, scope.spec, place))
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


def _of_the_host(name: str, spec: JsonObject, at: Place) -> Decision:
    owner = namespace(name)
    if owner == "net" and spec.get("hostNetwork"):
        return invalid(at, name, "may not be specified when 'hostNetwork' is true")
    if owner == "ipc" and spec.get("hostIPC"):
        return invalid(at, name, "may not be specified when 'hostIPC' is true")
    return NOTHING
