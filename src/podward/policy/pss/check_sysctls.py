"""sysctls: a Pod may only set kernel parameters that its namespaces isolate from the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline: each name in the Pod's sysctls is one
of these, written exactly so (not with slashes):

- since 1.0: kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.tcp_syncookies, net.ipv4.ping_group_range,
  net.ipv4.ip_unprivileged_port_start
- since 1.27: net.ipv4.ip_local_reserved_ports
- since 1.29: net.ipv4.tcp_keepalive_time, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_keepalive_intvl,
  net.ipv4.tcp_keepalive_probes
- since 1.32: net.ipv4.tcp_rmem, net.ipv4.tcp_wmem
- since 1.37: net.ipv4.tcp_slow_start_after_idle, net.ipv4.tcp_notsent_lowat

The detail names the forbidden sysctls in their order, without quotes, and repeats duplicates.
"""

from __future__ import annotations

from podward.api.core import Sysctl
from podward.api.explanation import Change
from podward.decision import Value
from podward.policy.pss.check import (
    Check,
    CheckResult,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    Rule,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level

ID = "sysctls"
ADDED: tuple[tuple[int, tuple[str, ...]], ...] = (
    (
        0,
        (
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
        ),
    ),
    (27, ("net.ipv4.ip_local_reserved_ports",)),
    (
        29,
        (
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
        ),
    ),
    (32, ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")),
    (37, ("net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat")),
)
"""The sysctls that became allowed, by the minor version of Kubernetes."""


def allowed(minor: int) -> frozenset[str]:
    """The sysctls that version 1.`minor` allows."""
    return frozenset(name for since, names in ADDED if since <= minor for name in names)


def _rule(minor: int) -> Rule:
    names = allowed(minor)

    def rule(facts: PssFacts) -> CheckResult | None:
        sysctls = facts.context.sysctls
        return _forbidden(sysctls, names) if sysctls else None

    return rule


def _forbidden(sysctls: tuple[Sysctl, ...], names: frozenset[str]) -> CheckResult | None:
    bad = [(index, sysctl.name or "") for index, sysctl in enumerate(sysctls) if sysctl.name not in names]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (
            pod_context_path(ID, index, "name"),
            name,
            f'The Pod sets the sysctl "{name}", which is not among the safe ones.',
        )
        for index, name in bad
    ]
    return failed(ID, "forbidden sysctls", ", ".join(name for _, name in bad), violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    bad = {violation.path.segments[-2] for violation in result.decision.violations}
    kept = [sysctl for index, sysctl in enumerate(facts.context.sysctls or ()) if index not in bad]
    value: Value = tuple({"name": sysctl.name or "", "value": sysctl.value or ""} for sysctl in kept) or None
    return PssRemedy("Remove the sysctls that are not among the safe ones.", (Change(pod_context_path(ID), value),))


CHECK = Check(ID, Level.BASELINE, tuple(Revision(since, _rule(since)) for since, _ in ADDED), _remedy)
