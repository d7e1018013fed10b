"""hostPorts: no container uses a port of the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: the hostPort of each container port is unset or 0

The detail names each port once, sorted as text. With hostNetwork, API defaulting makes each containerPort a hostPort,
so the remedy then removes hostNetwork too.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.path import path
from podward.policy.pss.check import (
    Check,
    CheckResult,
    ContainerRef,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title, plural

ID = "hostPorts"


def _host_ports(container: ContainerRef) -> list[tuple[int, int]]:
    """The index and the hostPort of each port that has one."""
    ports = container.spec.ports
    return [(index, port.host_port) for index, port in enumerate(ports) if port.host_port] if ports else []


def _ports(facts: PssFacts) -> CheckResult | None:
    bad = [(container, taken_ports) for container in facts.containers if (taken_ports := _host_ports(container))]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (
            container.path("ports", index, "hostPort"),
            port,
            f"{container_title(container)} takes port {port} of the node.",
        )
        for container, taken_ports in bad
        for index, port in taken_ports
    ]
    ports = sorted({str(port) for _, taken_ports in bad for _, port in taken_ports})
    uses, word = plural("uses", "use", bad), plural("hostPort", "hostPorts", ports)
    detail = f"{container_list([container for container, _ in bad])} {uses} {word} {', '.join(ports)}"
    return failed(ID, "hostPort", detail, violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    ports = tuple(Change(violation.path, None) for violation in result.decision.violations)
    if facts.spec.host_network:
        return PssRemedy(
            "Remove hostNetwork, which makes every containerPort one of the node's, and each hostPort.",
            (Change(path("spec", "hostNetwork"), None), *ports),
        )
    return PssRemedy("Remove each hostPort; a Service makes ports reachable.", ports)


CHECK = Check(ID, Level.BASELINE, (Revision(0, _ports),), _remedy)
