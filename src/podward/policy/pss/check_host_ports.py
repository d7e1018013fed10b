"""hostPorts: no container takes a port of the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: each container's ports have no hostPort but 0

The detail names ports once each, sorted as text. With hostNetwork, API defaulting makes each containerPort a hostPort:
then the cure takes hostNetwork away too.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path, path
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import containers, owner, plural

ID = "hostPorts"


def _taken(spot: ContainerRef) -> list[tuple[int, int]]:
    """Index and host port of each port that takes one."""
    ports = spot.container.ports
    return [(index, port.host_port) for index, port in enumerate(ports) if port.host_port] if ports else []


def _ports(facts: Facts) -> CheckResult | None:
    bad = [(spot, taken) for spot in facts.spots if (taken := _taken(spot))]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (spot.at("ports", index, "hostPort"), port, f"{owner(spot)} takes port {port} of the node.")
        for spot, taken in bad
        for index, port in taken
    ]
    ports = sorted({str(port) for _, taken in bad for _, port in taken})
    uses, word = plural("uses", "use", bad), plural("hostPort", "hostPorts", ports)
    detail = f"{containers([spot for spot, _ in bad])} {uses} {word} {', '.join(ports)}"
    return found(ID, "hostPort", detail, faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    ports = tuple(Change(fault.path, None) for fault in result.decision.violations)
    if facts.spec.host_network:
        return PssRemedy(
            "Remove hostNetwork, which makes every containerPort one of the node's, and each hostPort.",
            (Change(path("spec", "hostNetwork"), None), *ports),
        )
    return PssRemedy("Remove each hostPort; a Service makes ports reachable.", ports)


CHECK = Check(ID, Level.BASELINE, (Revision(0, _ports),), _cure)
