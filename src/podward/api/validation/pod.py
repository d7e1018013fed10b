"""All that the API server refuses about a Pod on creation, in its order, as far as it is known here.

Specification: Kubernetes 1.36, ValidatePodCreate: metadata and annotations; volumes; regular, init and ephemeral
containers; the Pod's own fields; operating system; what is refused only on creation. The rules for labels, probes,
environment, affinity, DNS, tolerations and resources are not here.
"""

from __future__ import annotations

from podward.api.core import ObjectMeta, Pod, PodSpec, every_container
from podward.api.json_value import JsonObject
from podward.api.validation import (
    apparmor,
    containers,
    host_users,
    operating_system,
    policies,
    seccomp,
    security_context,
    volumes,
    windows_options,
)
from podward.api.validation.field import forbidden, invalid, required
from podward.api.validation.names import label, subdomain
from podward.decision import Decision, merge
from podward.path import Path, path

_SPEC = path("spec")
_LONGEST_DEADLINE = 2**31 - 1


def validate(pod: Pod, raw: JsonObject, kind: str = "Pod", *, allow_privileged: bool = True) -> Decision:
    """What is refused about the Pod, after defaulting; paths are the Pod's own.

    `raw` is the same Pod with what the view leaves out; `kind` is that of the workload it comes from;
    `allow_privileged` is the API server's switch of that name.
    """
    spec = pod.spec
    every = tuple((_SPEC / name / index, container) for name, index, container in every_container(spec))
    names = frozenset(container.name for _, container in every)
    about_volumes, volume_names = volumes.check(spec, raw, _SPEC)
    context = containers.Context(volume_names, spec.host_users is not False, allow_privileged)
    ephemeral = spec.ephemeral_containers
    return _once(
        merge(
            _metadata(pod.metadata),
            seccomp.check_annotations(pod.metadata),
            apparmor.check_annotations(pod.metadata, names),
            about_volumes,
            containers.check(spec, raw, context, _SPEC),
            containers.check_host_network(spec, _SPEC),
            policies.pod_restart(spec, _SPEC, kind),
            security_context.of_pod(spec, _SPEC / "securityContext"),
            windows_options.check_host_process(spec, every, _SPEC),
            host_users.check(spec, raw, _SPEC),
            _names_and_deadline(spec),
            operating_system.check(spec, every, _SPEC),
            volumes.check_tokens(spec, raw, _SPEC),
            containers.check_images(spec, _SPEC),
            forbidden(_SPEC / "ephemeralContainers", "cannot be set on create") if ephemeral else Decision(),
            seccomp.check_agreement(pod.metadata, spec, every),
            apparmor.check_agreement(pod.metadata, spec, every),
        )
    )


def _metadata(metadata: ObjectMeta) -> Decision:
    at = path("metadata")
    found = Decision()
    if metadata.generate_name:
        # The server adds letters to it, so it may end as no name may.
        found += subdomain(metadata.generate_name.rstrip("-"), at / "generateName")
    if metadata.name:
        found += subdomain(metadata.name, at / "name")
    elif not metadata.generate_name:
        found += required(at / "name", "name or generateName is required")
    return found + (label(metadata.namespace, at / "namespace") if metadata.namespace else Decision())


def _names_and_deadline(spec: PodSpec) -> Decision:
    found = Decision()
    if spec.service_account_name:
        found += subdomain(spec.service_account_name, _SPEC / "serviceAccountName")
    deadline = spec.active_deadline_seconds
    if deadline is not None and not 1 <= deadline <= _LONGEST_DEADLINE:
        detail = f"must be between 1 and {_LONGEST_DEADLINE}, inclusive"
        found += invalid(_SPEC / "activeDeadlineSeconds", deadline, detail)
    for name, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        if value:
            found += label(value, _SPEC / name)
    if spec.runtime_class_name is not None:
        found += subdomain(spec.runtime_class_name, _SPEC / "runtimeClassName")
    return found


def _once(decision: Decision) -> Decision:
    """Each violation once: the server reports the same error at the same place only once."""
    seen: set[tuple[Path, str]] = set()
    kept = []
    for violation in decision.violations:
        key = (violation.path, violation.reason)
        if key not in seen:
            seen.add(key)
            kept.append(violation)
    return Decision(violations=tuple(kept))
