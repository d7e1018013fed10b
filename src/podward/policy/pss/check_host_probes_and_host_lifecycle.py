"""hostProbesAndHostLifecycle: probes and lifecycle hooks must not make the kubelet call other hosts.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.34: livenessProbe, readinessProbe, startupProbe, lifecycle.postStart and lifecycle.preStop of each container
  have an empty httpGet.host and tcpSocket.host

The detail names each container and each host once, sorted; other checks name containers in their order.
"""

from __future__ import annotations

from podward.api.core import Handler, HTTPGetAction, TCPSocketAction
from podward.api.explanation import Change
from podward.path import Path
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
from podward.policy.pss.wording import container_title, plural, quoted_list

ID = "hostProbesAndHostLifecycle"


def _hosts(container: ContainerRef) -> list[tuple[Path, str]]:
    """The path and value of each host that a container sets."""
    spec = container.spec
    hosts: list[tuple[Path, str]] = []
    handlers: tuple[tuple[str, Handler | None], ...] = (
        ("livenessProbe", spec.liveness_probe),
        ("readinessProbe", spec.readiness_probe),
        ("startupProbe", spec.startup_probe),
    )
    for name, handler in handlers:
        if handler is not None:
            hosts += _of_handler(handler, container.path(name))
    hooks = spec.lifecycle
    if hooks is not None:
        for name, handler in (("postStart", hooks.post_start), ("preStop", hooks.pre_stop)):
            if handler is not None:
                hosts += _of_handler(handler, container.path("lifecycle", name))
    return hosts


def _of_handler(handler: Handler, at: Path) -> list[tuple[Path, str]]:
    endpoints: tuple[tuple[str, HTTPGetAction | TCPSocketAction | None], ...] = (
        ("httpGet", handler.http_get),
        ("tcpSocket", handler.tcp_socket),
    )
    return [
        (at / name / "host", endpoint.host) for name, endpoint in endpoints if endpoint is not None and endpoint.host
    ]


def _handlers(facts: PssFacts) -> CheckResult | None:
    bad = [(container, set_hosts) for container in facts.containers if (set_hosts := _hosts(container))]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (at, host, f'{container_title(container)} has the kubelet call the host "{host}", not the Pod.')
        for container, set_hosts in bad
        for at, host in set_hosts
    ]
    names = sorted({container.name for container, _ in bad})
    hosts = sorted({host for _, set_hosts in bad for _, host in set_hosts})
    word = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts)
    who = f"{plural('container', 'containers', names)} {quoted_list(names)}"
    detail = f"{who} {plural('uses', 'use', names)} {word} {quoted_list(hosts)}"
    return failed(ID, "probe or lifecycle host", detail, violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove host from probes and lifecycle hooks: the kubelet then calls the Pod itself.",
        tuple(Change(violation.path, None) for violation in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(34, _handlers),), _remedy)
