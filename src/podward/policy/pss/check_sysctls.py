"""sysctls: only kernel parameters that are the Pod's own.

Specification (k8s.io/pod-security-admission, in our words), level baseline: each name in the Pod's sysctls is one
of these, written exactly so (not with slashes):

- since 1.0: kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, net.ipv4.tcp_syncookies, net.ipv4.ping_group_range,
  net.ipv4.ip_unprivileged_port_start
- since 1.27: net.ipv4.ip_local_reserved_ports
- since 1.29: net.ipv4.tcp_keepalive_time, net.ipv4.tcp_fin_timeout, net.ipv4.tcp_keepalive_intvl,
  net.ipv4.tcp_keepalive_probes
- since 1.32: net.ipv4.tcp_rmem, net.ipv4.tcp_wmem
- since 1.37: net.ipv4.tcp_slow_start_after_idle, net.ipv4.tcp_notsent_lowat

The detail names them in their order, without quotes, as often as they stand there.
"""

from __future__ import annotations

from podward.api.core import Sysctl
from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, Rule, found, on_pod
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
"""What became allowed with which version."""


def allowed(minor: int) -> frozenset[str]:
    """The names that version 1.`minor` allows."""
    return frozenset(name for since, names in ADDED if since <= minor for name in names)


def _rule(minor: int) -> Rule:
    names = allowed(minor)

    def rule(facts: Facts) -> CheckResult | None:
        sysctls = facts.context.sysctls
        return _forbidden(sysctls, names) if sysctls else None

    return rule


def _forbidden(sysctls: tuple[Sysctl, ...], names: frozenset[str]) -> CheckResult | None:
    bad = [(index, sysctl.name or "") for index, sysctl in enumerate(sysctls) if sysctl.name not in names]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (on_pod(ID, index, "name"), name, f'The Pod sets the sysctl "{name}", which is not among the safe ones.')
        for index, name in bad
    ]
    return found(ID, "forbidden sysctls", ", ".join(name for _, name in bad), faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    bad = {fault.path.segments[-2] for fault in result.decision.violations}
    kept = [sysctl for index, sysctl in enumerate(facts.context.sysctls or ()) if index not in bad]
    value: Value = tuple({"name": sysctl.name or "", "value": sysctl.value or ""} for sysctl in kept) or None
    return PssRemedy("Remove the sysctls that are not among the safe ones.", (Change(on_pod(ID), value),))


CHECK = Check(ID, Level.BASELINE, tuple(Revision(since, _rule(since)) for since, _ in ADDED), _cure)
