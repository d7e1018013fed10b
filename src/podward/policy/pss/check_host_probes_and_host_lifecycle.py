"""hostProbesAndHostLifecycle: the kubelet must not be sent to other hosts by probes and lifecycle hooks.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.34: livenessProbe, readinessProbe, startupProbe, lifecycle.postStart and lifecycle.preStop of each container
  have an empty httpGet.host and tcpSocket.host

Unlike elsewhere the containers are named once each, sorted, and counted so; so are the hosts.
"""

from __future__ import annotations

from podward.api.core import Endpoint, Handler
from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import joined, owner, plural

ID = "hostProbesAndHostLifecycle"


def _hosts(spot: ContainerRef) -> list[tuple[Path, str]]:
    """Place and value of each host that a container sets."""
    container = spot.container
    hosts: list[tuple[Path, str]] = []
    for name, handler in (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
    ):
        if handler is not None:
            hosts += _of_handler(handler, spot.at(name))
    hooks = container.lifecycle
    if hooks is not None:
        for name, handler in (("postStart", hooks.post_start), ("preStop", hooks.pre_stop)):
            if handler is not None:
                hosts += _of_handler(handler, spot.at("lifecycle", name))
    return hosts


def _of_handler(handler: Handler, at: Path) -> list[tuple[Path, str]]:
    endpoints: tuple[tuple[str, Endpoint | None], ...] = (
        ("httpGet", handler.http_get),
        ("tcpSocket", handler.tcp_socket),
    )
    return [
        (at / name / "host", endpoint.host) for name, endpoint in endpoints if endpoint is not None and endpoint.host
    ]


def _handlers(facts: Facts) -> CheckResult | None:
    bad = [(spot, set_hosts) for spot in facts.spots if (set_hosts := _hosts(spot))]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (at, host, f'{owner(spot)} has the kubelet call the host "{host}", not the Pod.')
        for spot, set_hosts in bad
        for at, host in set_hosts
    ]
    names = sorted({spot.name for spot, _ in bad})
    hosts = sorted({host for _, set_hosts in bad for _, host in set_hosts})
    word = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts)
    who = f"{plural('container', 'containers', names)} {joined(names)}"
    detail = f"{who} {plural('uses', 'use', names)} {word} {joined(hosts)}"
    return found(ID, "probe or lifecycle host", detail, faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove host from probes and lifecycle hooks: the kubelet then calls the Pod itself.",
        tuple(Change(fault.path, None) for fault in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(34, _handlers),), _cure)
