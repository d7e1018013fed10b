"""hostNamespaces: no Pod shares the node's network, processes or IPC.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: spec.hostNetwork, spec.hostPID and spec.hostIPC are not true

The detail names the fields in this order.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.path import path
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level

ID = "hostNamespaces"
_SHARED = {
    "hostNetwork": "The Pod uses the node's network.",
    "hostPID": "The Pod sees and can signal the node's processes.",
    "hostIPC": "The Pod shares the node's IPC objects.",
}


def _namespaces(facts: PssFacts) -> CheckResult | None:
    spec = facts.spec
    if not (spec.host_network or spec.host_pid or spec.host_ipc):
        return None
    flags = {"hostNetwork": spec.host_network, "hostPID": spec.host_pid, "hostIPC": spec.host_ipc}
    bad = [name for name, value in flags.items() if value]
    violations: list[FieldViolation] = [(path("spec", name), True, _SHARED[name]) for name in bad]
    return failed(ID, "host namespaces", ", ".join(f"{name}=true" for name in bad), violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Leave it out: a Pod has namespaces of its own by default.",
        tuple(Change(violation.path, None) for violation in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _namespaces),), _remedy)
