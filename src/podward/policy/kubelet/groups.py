"""The supplemental groups and the supplementalGroupsPolicy that the kubelet sends to the runtime.

Specification (kubelet, `determineEffectiveSecurityContext` and `generatePodSandboxLinuxConfig`, in our words):
- A container's list is fsGroup, supplementalGroups, then the groups of the Pod's volumes (extra). The sandbox's list is
  fsGroup, extra, supplementalGroups. Duplicates stay.
- An unset supplementalGroupsPolicy means Merge. Merge and Strict are sent; any other value is an error, even `""`.
- A node whose runtime does not implement the policy refuses a Pod with Strict.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, PodSpec
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, assign, refuse
from podward.path import Path, path

PLACE = path("supplementalGroups")
POLICY_PLACE = path("supplementalGroupsPolicy")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} supplementalGroups")
NOT_SUPPORTED = "SupplementalGroupsPolicy=Strict is not supported in this node"


def decide_container(spec: PodSpec, extra: tuple[int, ...], place: Place) -> Decision:
    """The container's groups and policy."""
    context, base = spec.security_context, _base(place)
    if context is None:
        return _extra(extra, 0)
    groups = _fs_group(context, place.document, base)
    groups += _listed(context, place.document, base, start=len(groups.assignments))
    groups += _extra(extra, start=len(groups.assignments))
    return groups + _policy(context, place.document, base)


def decide_sandbox(context: PodSecurityContext, extra: tuple[int, ...], place: Place) -> Decision:
    """The sandbox's groups and policy."""
    base = _base(place)
    groups = _fs_group(context, place.document, base)
    groups += _extra(extra, start=len(groups.assignments))
    groups += _listed(context, place.document, base, start=len(groups.assignments))
    return groups + _policy(context, place.document, base)


def admit(spec: PodSpec, place: Place, *, supported: bool) -> Decision:
    """A violation if the Pod demands Strict and the node does not support it."""
    context = spec.security_context
    if supported or context is None or context.supplemental_groups_policy != "Strict":
        return Decision()
    return refuse(_base(place) / "supplementalGroupsPolicy", "Strict", NOT_SUPPORTED, RULE)


def _base(place: Place) -> Path:
    return place.pod / "spec" / "securityContext"


def _fs_group(context: PodSecurityContext, document: str, base: Path) -> Decision:
    if context.fs_group is None:
        return Decision()
    source = Source(Origin.MANIFEST, document, base / "fsGroup")
    return assign(PLACE / 0, context.fs_group, "fsGroup is a group of every process of the Pod", source)


def _listed(context: PodSecurityContext, document: str, base: Path, start: int) -> Decision:
    field = base / "supplementalGroups"
    return Decision(
        tuple(
            Assignment(PLACE / (start + i), gid, "listed", Source(Origin.MANIFEST, document, field / i))
            for i, gid in enumerate(context.supplemental_groups or ())
        )
    )


def _extra(extra: tuple[int, ...], start: int) -> Decision:
    source = Source(Origin.NODE, "volume manager")
    return Decision(
        tuple(Assignment(PLACE / (start + i), gid, "the group of a volume", source) for i, gid in enumerate(extra))
    )


def _policy(context: PodSecurityContext, document: str, base: Path) -> Decision:
    policy = context.supplemental_groups_policy
    if policy is None:
        return assign(POLICY_PLACE, "Merge", "supplementalGroupsPolicy is unset", RULE)
    where = base / "supplementalGroupsPolicy"
    if policy not in ("Merge", "Strict"):
        return refuse(where, policy, f"unsupported supplementalGroupsPolicy: {policy}", RULE)
    return assign(POLICY_PLACE, policy, "supplementalGroupsPolicy is set", Source(Origin.MANIFEST, document, where))
