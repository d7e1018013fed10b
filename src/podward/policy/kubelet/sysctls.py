"""Which sysctls a Pod may set on this node.

Specification (kubelet, `sysctl` admission, in our words): each name is normalised (the `/` form swaps `.` and
`/`). It must be in the safe set or match a pattern of allowed unsafe sysctls (`name` or `prefix*`), and must not belong
to a namespace that the Pod shares with the host. The first sysctl that fails refuses the Pod. The safe set is the one
of a modern kernel: some of its names need Linux 4.5 to 5.x.
"""

from __future__ import annotations

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
_NAMES = {"net": "Net", "ipc": "IPC"}
"""The namespaces as the kubelet's sentence names them."""


def admit(spec: PodSpec, place: Place, unsafe: tuple[str, ...] = ()) -> Decision:
    """A violation for the first sysctl that this node forbids; `unsafe` are the patterns that its operator allows."""
    field = place.pod / "spec" / "securityContext" / "sysctls"
    for index, sysctl in enumerate((spec.security_context.sysctls or ()) if spec.security_context else ()):
        name = dotted_name(sysctl.name or "")
        problem = ""
        if name not in SAFE and not any(_matches(pattern, name) for pattern in unsafe):
            problem = f"{quote(name)} not allowlisted"
        elif (isolated := _NAMES.get(namespace(name))) and (spec.host_ipc if isolated == "IPC" else spec.host_network):
            problem = f"{quote(name)} not allowed with host {isolated} enabled"
        if problem:
            return refuse(field / index / "name", sysctl.name, f"forbidden sysctl: {problem}", RULE)
    return Decision()


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def decide(spec: PodSpec, place: Place) -> Decision:
    """The sandbox's sysctls as they are written; the last value of a repeated name counts."""
    field = place.pod / "spec" / "securityContext" / "sysctls"
    return Decision(
        tuple(
            Assignment(
                path("sysctls", Key(sysctl.name or "")),
                sysctl.value or "",
                "listed",
                Source(Origin.MANIFEST, place.document, field / index),
            )
            for index, sysctl in enumerate((spec.security_context.sysctls or ()) if spec.security_context else ())
        )
    )
