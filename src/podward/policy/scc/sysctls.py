"""sysctls: which kernel parameters a Pod may set.

Specification (OpenShift apiserver-library-go, sysctl/mustmatchpatterns.go, July 2026), in our words: a sysctl in
`forbiddenSysctls` is refused, then a safe one is allowed, then one in `allowedUnsafeSysctls`; all others are refused. A
name in the SCC that ends in `*` matches all names with this prefix. Names are compared as they are written.

Three of the safe sysctls are safe only if the kernel of every node isolates them in network namespaces:
net.ipv4.ip_local_reserved_ports since Linux 3.16, net.ipv4.tcp_rmem and tcp_wmem since 4.15. Today's kernels do.
"""

from __future__ import annotations

from podward.api.core import Sysctl
from podward.api.gotext import quote
from podward.api.scc import SecurityContextConstraints
from podward.decision import Decision, Source
from podward.policy.scc.scc_pod import POD_CONTEXT, SccPod
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
"""The safe sysctls; the last three are safe on modern kernels only."""


class SysctlRule:
    """The rule of an SCC's forbiddenSysctls and allowedUnsafeSysctls."""

    __slots__ = ("_allowed_unsafe", "_errors", "_forbidden", "_forbidden_source", "_unsafe_source")

    def __init__(self, scc: SecurityContextConstraints) -> None:
        self._errors = SccErrors(scc.metadata.name or "", RULE)
        self._forbidden = SysctlPatterns(scc.forbidden_sysctls or ())
        self._allowed_unsafe = SysctlPatterns(scc.allowed_unsafe_sysctls or ())
        self._forbidden_source = self._errors.source("forbiddenSysctls")
        self._unsafe_source = self._errors.source("allowedUnsafeSysctls")

    def decide_pod(self, pod: SccPod) -> Decision:
        """The violations of the Pod's sysctls."""
        requested = pod.context.sysctls
        if not requested:
            return NOTHING
        violations: list[SccViolation] = []
        for index, sysctl in enumerate(requested):
            name = sysctl.name or ""
            if name in self._forbidden:
                violations.append(self._violation(index, sysctl, "sysctl", self._forbidden_source))
            elif name not in SAFE and name not in self._allowed_unsafe:
                violations.append(self._violation(index, sysctl, "unsafe sysctl", self._unsafe_source))
        return refused(*violations) if violations else NOTHING

    def _violation(self, index: int, sysctl: Sysctl, what: str, source: Source) -> SccViolation:
        place = POD_CONTEXT / RULE / index
        name = sysctl.name or ""
        return self._errors.forbidden(str(place), place, name, f"{what} {quote(name)} is not allowed", source)


class SysctlPatterns:
    """A set of sysctl names, and of prefixes, which the SCC writes with a `*` at the end."""

    __slots__ = ("_names", "_prefixes")

    def __init__(self, written: tuple[str, ...]) -> None:
        self._names = frozenset(name for name in written if not name.endswith("*"))
        self._prefixes = tuple(name[:-1] for name in written if name.endswith("*"))

    def __contains__(self, name: str) -> bool:
        return name in self._names or name.startswith(self._prefixes)
