"""Fields that take one of a few words: restart, DNS, fsGroup change, supplemental groups, SELinux change, image pull.

Specification: Kubernetes with its default feature gates (SELinuxMount is off, so only `Recursive` is known).
A workload restricts its
Pods' restartPolicy: controllers that replace Pods want `Always`, a Job anything but `Always`.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, PodSpec
from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import required, unsupported

RESTART = ("Always", "OnFailure", "Never")
PULL = ("Always", "IfNotPresent", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_OF_JOBS = ("OnFailure", "Never")
_ALWAYS_KINDS = frozenset(
    ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "DeploymentConfig")
)
_JOB_KINDS = frozenset(("Job", "CronJob"))


def one_of(value: str | None, known: tuple[str, ...], at: Path) -> Decision:
    """Refuse an optional word that isn't known."""
    return Decision() if value is None or value in known else unsupported(at, value, known)


def pod_restart(spec: PodSpec, at: Path) -> Decision:
    """The Pod's restartPolicy."""
    policy = spec.restart_policy
    if policy in RESTART:
        return Decision()
    place = at / "restartPolicy"
    return unsupported(place, policy, RESTART) if policy else required(place)


def workload_restart(spec: PodSpec, at: Path, kind: str) -> Decision:
    """What the workload's kind makes of the Pod's restartPolicy."""
    policy = spec.restart_policy
    if policy not in RESTART:
        return Decision()
    if kind in _ALWAYS_KINDS and policy != "Always":
        return unsupported(at / "restartPolicy", policy, ("Always",))
    if kind in _JOB_KINDS and policy not in _OF_JOBS:
        return required(at / "restartPolicy", "valid values: " + ", ".join(quote(word) for word in _OF_JOBS))
    return Decision()


def dns(policy: str, at: Path) -> Decision:
    """The Pod's dnsPolicy, after defaulting."""
    if policy in _DNS:
        return Decision()
    return unsupported(at, policy, _DNS) if policy else required(at)


def fs_group_change(context: PodSecurityContext, at: Path) -> Decision:
    """The Pod's fsGroupChangePolicy."""
    return one_of(context.fs_group_change_policy, ("Always", "OnRootMismatch"), at / "fsGroupChangePolicy")


def group_policies(context: PodSecurityContext, at: Path) -> Decision:
    """The Pod's supplementalGroupsPolicy and seLinuxChangePolicy."""
    return merge(
        one_of(context.supplemental_groups_policy, ("Merge", "Strict"), at / "supplementalGroupsPolicy"),
        one_of(context.se_linux_change_policy, ("Recursive",), at / "seLinuxChangePolicy"),
    )


def image_pull(policy: str | None, at: Path) -> Decision:
    """A container's imagePullPolicy, after defaulting."""
    return one_of(policy, PULL, at) if policy else required(at)
