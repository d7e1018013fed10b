"""The sysctls that a runtime sets in a Pod's network namespace of its own accord.

Specification, in our words (containerd 2.2 `sandbox_run_linux.go` with its defaults `enable_unprivileged_ports` and
`enable_unprivileged_icmp`; Docker 29 `daemon/oci_linux.go`; CRI-O 1.33, whose `default_sysctls` is empty):
- containerd and Docker let every process of a Pod bind low ports (`net.ipv4.ip_unprivileged_port_start` 0) and send
  ICMP echo requests (`net.ipv4.ping_group_range` all groups), so that neither needs a capability.
- Not on the host's network, and not where the Pod sets the sysctl itself. The group range is left alone in a user
  namespace, which does not have that many groups.
"""

from __future__ import annotations

from podward.decision import Assignment, Decision, Source
from podward.path import Key, path

LOW_PORTS = ("net.ipv4.ip_unprivileged_port_start", "0")
PING = ("net.ipv4.ping_group_range", "0 2147483647")
_SETS = {"containerd": (LOW_PORTS, PING), "docker": (LOW_PORTS, PING), "cri-o": ()}


def decide(
    runtime: str, source: Source, written: frozenset[str], *, host_network: bool, user_namespace: bool
) -> Decision:
    """`sysctls` that the runtime of this name adds to those `written` by the Pod; `source` is its table."""
    if host_network:
        return Decision()
    rows = _SETS.get(runtime, ())
    return Decision(
        tuple(
            Assignment(path("sysctls", Key(name)), value, "the runtime's own, for every Pod", source)
            for name, value in rows
            if name not in written and not (user_namespace and name == PING[0])
        )
    )
