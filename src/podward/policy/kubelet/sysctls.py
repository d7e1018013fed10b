"""Which sysctls a Pod may set on this node.

Specification (kubelet, `sysctl` admission, in our words): each name is normalised (the `/` form swaps `.` and
`/`). It must be in the safe set or match a pattern of allowed unsafe sysctls (`name` or `prefix*`), and must not belong
to a namespace that the Pod shares with the host. The first sysctl that fails refuses the Pod. The safe set is the one
of a modern kernel: some of its names need Linux 4.5 to 5.x. A kubelet does not start with a pattern that is none, or
that covers what is not known to be namespaced (`vm.*`, `kernel.*`): such a sysctl is the whole machine's. The sandbox
gets every name with dots (SyncPod, ConvertPodSysctlsVariableToDotsSeparator).
"""

from __future__ import annotations

from collections.abc import Iterable
from re import compile as compiled

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, refuse
from podward.path import Key, path
from podward.schema.validation.sysctls import dotted_name, namespace

REASON = "SysctlForbidden"
RULE = Source(Origin.DEFAULT, f"kubelet {KUBERNETES} safe sysctls")
SAFE = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    )
)
_LONGEST = 253
_PATTERN = compiled(r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*]")
_NAMES = {"net": "Net", "ipc": "IPC"}
"""The namespaces as the kubelet's sentence names them."""


def fault_of(patterns: Iterable[str]) -> str:
    """Why a kubelet that allows these patterns does not start; empty if it does."""
    for pattern in patterns:
        if len(pattern) > _LONGEST or not _PATTERN.fullmatch(pattern):
            return f"sysctl {quote(pattern)} must have at most {_LONGEST} characters and match regex {_PATTERN.pattern}"
        if not namespace(pattern):
            known = dotted_name(pattern).partition("*")[0]
            return f"the sysctls {quote(known)} are not known to be namespaced"
    return ""


def admit(spec: PodSpec, place: Place, unsafe: tuple[str, ...] = ()) -> Decision:
    """A violation for the first sysctl that this node forbids; `unsafe` are the patterns that its operator allows."""
    field = place.pod / "spec" / "securityContext" / "sysctls"
    for index, sysctl in enumerate((spec.security_context.sysctls or ()) if spec.security_context else ()):
        name = dotted_name(sysctl.name or "")
        problem = ""
        allowed = name in SAFE or any(_matches(dotted_name(pattern), name) for pattern in unsafe if namespace(pattern))
        if not allowed:
            problem = f"{quote(name)} not allowlisted"
        elif (isolated := _NAMES.get(namespace(name))) and (spec.host_ipc if isolated == "IPC" else spec.host_network):
            problem = f"{quote(name)} not allowed with host {isolated} enabled"
        if problem:
            return refuse(field / index / "name", sysctl.name, f"forbidden sysctl: {problem}", RULE)
    return Decision()


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def as_written(spec: PodSpec) -> dict[str, str]:
    """The sysctls before the kubelet gives their names dots, which it does before it makes the CRI messages."""
    listed = spec.security_context.sysctls if spec.security_context is not None else None
    return {sysctl.name or "": sysctl.value or "" for sysctl in listed or ()}


def decide(spec: PodSpec, place: Place) -> Decision:
    """The sandbox's sysctls, their names with dots; the last value of a repeated name counts."""
    field = place.pod / "spec" / "securityContext" / "sysctls"
    return Decision(
        tuple(
            Assignment(
                path("sysctls", Key(dotted_name(sysctl.name or ""))),
                sysctl.value or "",
                "listed",
                Source(Origin.MANIFEST, place.document, field / index),
            )
            for index, sysctl in enumerate((spec.security_context.sysctls or ()) if spec.security_context else ())
        )
    )
