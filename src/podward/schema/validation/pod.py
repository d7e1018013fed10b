"""All that the API server refuses about a Pod on creation, in its order.

Specification: Kubernetes, ValidatePodCreate: metadata and annotations; volumes and claims; regular, init and
ephemeral containers; the Pod's own fields; operating system; what is refused only on creation. Rules about fields that
few Pods have are imported where one has them. What is left out: tolerations in an annotation.
"""

from __future__ import annotations

from podward.api.core import Container, Pod, PodSpec, every_container
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.schema.validation import (
    apparmor,
    containers,
    host_users,
    metadata,
    operating_system,
    policies,
    seccomp,
    security_context,
    volumes,
    windows_options,
)
from podward.schema.validation.field import forbidden, in_range
from podward.schema.validation.names import label, subdomain
from podward.schema.validation.raw import text

_SPEC = path("spec")
_META = path("metadata")
_CONTEXT, _DNS = path("spec", "securityContext"), path("spec", "dnsPolicy")
_OF_SCHEDULING = frozenset(("affinity", "dnsConfig", "readinessGates", "schedulingGates", "topologySpreadConstraints"))
_OF_PRIORITY = frozenset(("priorityClassName", "runtimeClassName", "preemptionPolicy", "overhead"))
_LONGEST_DEADLINE = 2**31 - 1


def validate(pod: Pod, raw: JsonObject, kind: str = "Pod", *, allow_privileged: bool = True) -> Decision:
    """What is refused about a Pod that is to be sent, after defaulting, each error once; paths are the Pod's own.

    `raw` is the same Pod with what the view leaves out; `kind` is that of the workload it comes from;
    `allow_privileged` is the API server's switch of that name.
    """
    about_metadata = metadata.check(pod.metadata, member(raw, "metadata"), _META)
    workload = policies.workload_restart(pod.spec, _SPEC, kind)
    return _once(about_metadata + _pod(pod, raw, allow_privileged=allow_privileged) + workload)


def errors(pod: Pod, raw: JsonObject, *, allow_privileged: bool = True) -> Decision:
    """Every error of the API server about a Pod as it has it: complete, and the same error as often as it finds it."""
    about_metadata = metadata.check_complete(pod.metadata, member(raw, "metadata"), _META)
    return about_metadata + _pod(pod, raw, allow_privileged=allow_privileged)


def _pod(pod: Pod, raw: JsonObject, *, allow_privileged: bool) -> Decision:
    spec, raw_spec = pod.spec, member(raw, "spec")
    every = _placed(pod)
    claims = _claim_names(raw_spec)
    about_volumes, valid = volumes.check(pod.metadata, raw, _SPEC)
    context = containers.Context(raw_spec, valid, claims, spec.host_users is not False, allow_privileged)
    ephemeral = spec.ephemeral_containers
    return merge(
        _annotations(pod, raw),
        about_volumes,
        _claims(raw_spec),
        containers.check(spec, context, _SPEC),
        _of_the_whole(raw_spec, claims),
        containers.check_host_network(spec, _SPEC),
        policies.pod_restart(spec, _SPEC),
        _names_of_nodes(raw_spec),
        security_context.of_pod(spec, _CONTEXT),
        _scheduling(raw_spec),
        windows_options.check_host_process(spec, every, _SPEC, allow_privileged=allow_privileged),
        host_users.check(spec, raw, _SPEC),
        _names(spec, raw_spec),
        _priorities(raw_spec),
        operating_system.check(spec, every, _SPEC),
        _last(raw, raw_spec),
        volumes.check_tokens(spec, raw, _SPEC),
        containers.check_images(spec, _SPEC),
        forbidden(_SPEC / "ephemeralContainers", "cannot be set on create") if ephemeral else Decision(),
        _bound(raw_spec),
        seccomp.check_agreement(pod.metadata, spec, every),
        apparmor.check_agreement(pod.metadata, spec, every),
    )


def _placed(pod: Pod) -> tuple[tuple[Path, Container], ...]:
    """All containers with their places, for the rules that compare each with something of the Pod: see `_compared`."""
    if not _compared(pod):
        return ()
    return tuple((_SPEC / name / index, container) for name, index, container in every_container(pod.spec))


def _compared(pod: Pod) -> bool:
    """Whether containers can contradict the Pod: its profiles in annotations, its system, options of Windows."""
    spec = pod.spec
    if spec.os is not None or (spec.security_context and spec.security_context.windows_options is not None):
        return True
    for key in pod.metadata.annotations or ():
        if key.startswith((apparmor.PREFIX, seccomp.CONTAINER_PREFIX)):
            return True
    for containers_of_kind in (spec.init_containers, spec.containers, spec.ephemeral_containers):
        for container in containers_of_kind or ():
            if container.security_context and container.security_context.windows_options is not None:
                return True
    return False


def _annotations(pod: Pod, raw: JsonObject) -> Decision:
    meta = pod.metadata
    if not meta.annotations:
        return Decision()
    from podward.schema.validation import pod_annotations

    return merge(
        pod_annotations.check(member(raw, "metadata"), member(raw, "spec"), _META / "annotations"),
        seccomp.check_annotations(meta),
        apparmor.check_annotations(meta, frozenset(container.name for _, _, container in every_container(pod.spec))),
    )


def _claim_names(spec: JsonObject) -> frozenset[str]:
    if not spec.get("resourceClaims"):
        return frozenset()
    from podward.schema.validation import claims

    return claims.names(spec)


def _claims(spec: JsonObject) -> Decision:
    if not spec.get("resourceClaims"):
        return Decision()
    from podward.schema.validation import claims

    return claims.check(spec, _SPEC / "resourceClaims")


def _of_the_whole(spec: JsonObject, claims: frozenset[str]) -> Decision:
    if spec.get("resources") is None:
        return Decision()
    from podward.schema.validation import pod_resources

    return pod_resources.check(spec, claims, _SPEC)


def _names_of_nodes(spec: JsonObject) -> Decision:
    """The DNS policy, and the labels of nodes that the Pod may be on."""
    found = policies.dns(text(spec, "dnsPolicy"), _DNS)
    if spec.get("nodeSelector"):
        from podward.schema.validation import labels

        found += labels.check(spec, "nodeSelector", _SPEC)
    return found


def _scheduling(spec: JsonObject) -> Decision:
    if _OF_SCHEDULING.isdisjoint(spec) and spec.get("dnsPolicy") != "None":
        return Decision()
    found: list[Decision] = []
    if spec.get("affinity") is not None:
        from podward.schema.validation import affinity

        found.append(affinity.check(member(spec, "affinity"), _SPEC / "affinity"))
    if spec.get("dnsConfig") is not None or spec.get("dnsPolicy") == "None":
        from podward.schema.validation import addresses

        found.append(addresses.dns(spec, _SPEC / "dnsConfig"))
    if spec.get("readinessGates") or spec.get("schedulingGates"):
        from podward.schema.validation import scheduling

        found.append(scheduling.readiness_gates(spec, _SPEC / "readinessGates"))
        found.append(scheduling.scheduling_gates(spec, _SPEC / "schedulingGates"))
    if spec.get("topologySpreadConstraints"):
        from podward.schema.validation import topology

        found.append(topology.check(spec, _SPEC / "topologySpreadConstraints"))
    return merge(*found)


def _names(spec: PodSpec, raw: JsonObject) -> Decision:
    found: list[Decision] = []
    if raw.get("hostnameOverride") is not None:
        from podward.schema.validation import scheduling

        found.append(scheduling.hostname_override(raw, _SPEC / "hostnameOverride"))
    # The server takes the service account's old name for the new one where that is missing.
    account, node = spec.service_account_name or text(raw, "serviceAccount"), text(raw, "nodeName")
    if account:
        found.append(subdomain(account, _SPEC / "serviceAccountName"))
    if node:
        found.append(subdomain(node, _SPEC / "nodeName"))
    if spec.active_deadline_seconds is not None:
        place = _SPEC / "activeDeadlineSeconds"
        found.append(in_range(place, spec.active_deadline_seconds, 1, _LONGEST_DEADLINE))
    for name, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain)):
        if value:
            found.append(label(value, _SPEC / name))
    if raw.get("tolerations"):
        from podward.schema.validation import tolerations

        found.append(tolerations.check(raw, _SPEC / "tolerations"))
    if raw.get("hostAliases"):
        from podward.schema.validation import addresses

        found.append(addresses.host_aliases(raw, _SPEC / "hostAliases"))
    return merge(*found)


def _priorities(spec: JsonObject) -> Decision:
    if _OF_PRIORITY.isdisjoint(spec):
        return Decision()
    found: list[Decision] = []
    if name := text(spec, "priorityClassName"):
        found.append(subdomain(name, _SPEC / "priorityClassName"))
    if spec.get("runtimeClassName") is not None:
        found.append(subdomain(text(spec, "runtimeClassName"), _SPEC / "runtimeClassName"))
    if spec.get("preemptionPolicy") is not None:
        from podward.schema.validation import scheduling

        found.append(scheduling.preemption(spec, _SPEC / "preemptionPolicy"))
    if spec.get("overhead") is not None:
        from podward.schema.validation import resources

        limits: JsonObject = {"limits": spec["overhead"]}
        found.append(resources.check(limits, frozenset(), _SPEC / "overhead"))
    return merge(*found)


def _last(pod: JsonObject, spec: JsonObject) -> Decision:
    found = Decision()
    if spec.get("schedulingGroup") is not None:
        from podward.schema.validation import scheduling

        found += scheduling.group(spec, _SPEC / "schedulingGroup")
    if _has_variables(spec):
        from podward.schema.validation.environment import check_files

        found += check_files(pod, _SPEC)
    return found


def _bound(spec: JsonObject) -> Decision:
    if not spec.get("schedulingGates"):
        return Decision()
    from podward.schema.validation import scheduling

    return scheduling.bound_and_gated(spec, _SPEC)


def _has_variables(spec: JsonObject) -> bool:
    for name in ("initContainers", "containers", "ephemeralContainers"):
        written = spec.get(name)
        if written and isinstance(written, list):
            for container in written:
                if isinstance(container, dict) and container.get("env"):
                    return True
    return False


def _once(decision: Decision) -> Decision:
    """Each violation once: the server reports the same error at the same place only once."""
    if not decision.violations:
        return decision
    seen: set[tuple[Path, str]] = set()
    kept = []
    for violation in decision.violations:
        key = (violation.path, violation.reason)
        if key not in seen:
            seen.add(key)
            kept.append(violation)
    return Decision(violations=tuple(kept))
