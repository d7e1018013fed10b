"""sysctls: which kernel parameters a Pod may set.

Specification (OpenShift apiserver-library-go, sysctl/mustmatchpatterns.go), in our words: a name that
`forbiddenSysctls` names is refused; then a safe one is allowed; then one that `allowedUnsafeSysctls` names; all others
are refused. A name in the SCC that ends in `*` stands for all that begin so. Names are compared as they are written.

Three of the safe ones are only safe if every node's kernel has them in network namespaces: since Linux 3.16
net.ipv4.ip_local_reserved_ports, since 4.15 net.ipv4.tcp_rmem and tcp_wmem. Today's kernels do.
"""

from __future__ import annotations

from podward.api.core import Sysctl
from podward.api.gotext import quote
from podward.api.scc import SecurityContextConstraints
from podward.decision import Decision, Source
from podward.policy.scc.subject import POD_CONTEXT, SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "sysctls"

SAFE = frozenset(
    (
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
    )
)
"""The sysctls that are safe on a modern kernel; the last three need one."""


class SysctlRule:
    """The rule, made ready."""

    __slots__ = ("_forbidden", "_forbidden_source", "_unsafe", "_unsafe_source", "_voice")

    def __init__(self, scc: SecurityContextConstraints) -> None:
        self._voice = SccErrors(scc.metadata.name or "", RULE)
        self._forbidden = Patterns(scc.forbidden_sysctls or ())
        self._unsafe = Patterns(scc.allowed_unsafe_sysctls or ())
        self._forbidden_source = self._voice.source("forbiddenSysctls")
        self._unsafe_source = self._voice.source("allowedUnsafeSysctls")

    def pod(self, subject: SccPod) -> Decision:
        """The Pod's sysctls."""
        asked = subject.context.sysctls
        if not asked:
            return NOTHING
        found: list[SccViolation] = []
        for index, sysctl in enumerate(asked):
            name = sysctl.name or ""
            if name in self._forbidden:
                found.append(self._violation(index, sysctl, "sysctl", self._forbidden_source))
            elif name not in SAFE and name not in self._unsafe:
                found.append(self._violation(index, sysctl, "unsafe sysctl", self._unsafe_source))
        return refused(*found) if found else NOTHING

    def _violation(self, index: int, sysctl: Sysctl, what: str, source: Source) -> SccViolation:
        place = POD_CONTEXT / RULE / index
        name = sysctl.name or ""
        return self._voice.forbidden(str(place), place, name, f"{what} {quote(name)} is not allowed", source)


class Patterns:
    """Names, and beginnings of names where a `*` ends them."""

    __slots__ = ("_beginnings", "_names")

    def __init__(self, written: tuple[str, ...]) -> None:
        self._names = frozenset(name for name in written if not name.endswith("*"))
        self._beginnings = tuple(name[:-1] for name in written if name.endswith("*"))

    def __contains__(self, name: str) -> bool:
        return name in self._names or name.startswith(self._beginnings)
