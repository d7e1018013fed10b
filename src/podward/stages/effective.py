"""The effective stage: it computes a container's effective context from the Pod, the container and the image's user.

The stage takes facts and returns a Decision that folds into an `EffectiveContext`. The rules are in
`podward.policy.kubelet`. This module only applies them in the kubelet's order, because the kubelet reports the first
error.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, Pod, SecurityContext
from podward.api.cri import IDMapping
from podward.api.effective import EffectiveContext, ImageUser, Place
from podward.api.node import Node
from podward.decision import Decision, Outcome, Unknown, merge
from podward.policy.kubelet import (
    apparmor,
    groups,
    masked_paths,
    namespaces,
    non_root,
    seccomp,
    security_context,
    sysctls,
    user,
    windows,
)


class EffectiveFacts(Struct, frozen=True, gc=False):
    """The facts that the kubelet has when it starts a container.

    `image` is the image's user as the kubelet takes it (`policy.kubelet.user.image_user`), or why nobody knows it;
    `userns` the id range kept for this Pod (needed only if hostUsers is false); `extra_groups` the groups that its
    volumes bring; `target` the running container whose process namespace an ephemeral one joins.
    """

    pod: Pod
    container: Container
    place: Place
    image: ImageUser | Unknown
    image_name: str
    node: Node
    userns: IDMapping | None = None
    extra_groups: tuple[int, ...] = ()
    target: str = ""


def admit(pod: Pod, place: Place, node: Node) -> Decision:
    """The violations for which the node refuses the Pod before it starts any container."""
    return merge(
        windows.admit(pod.spec, place),
        groups.admit(pod.spec, place, supported=node.supplemental_groups_policy),
        sysctls.admit(pod.spec, place, node.allowed_unsafe_sysctls),
        apparmor.admit_host(pod, place, enabled=node.lsm == "apparmor"),
        apparmor.admit(pod, place),
    )


def merged_context(facts: EffectiveFacts) -> Outcome[SecurityContext]:
    """The container's security context, merged with the Pod's."""
    pod, container = facts.pod.spec.security_context, facts.container.security_context
    decision = security_context.decide_merge(pod, container, facts.place)
    return Outcome(decision.fold(EffectiveContext).security_context, decision)


def verify_non_root(facts: EffectiveFacts, merged: Outcome[SecurityContext]) -> Decision:
    """The violation of runAsNonRoot, if there is one."""
    return non_root.decide(facts.pod, facts.container.name, merged, facts.image, facts.place)


def synthesize(facts: EffectiveFacts, merged: Outcome[SecurityContext]) -> Decision:
    """The effective context without the runAsNonRoot check; its violations are in the kubelet's order."""
    context, origin, place, node = merged.value, merged.decision, facts.place, facts.node
    shared = namespaces.decide(facts.pod.spec, place, facts.userns, userns_supported=node.userns_supported)
    return merge(
        origin,
        seccomp.decide(
            facts.pod,
            facts.container.security_context,
            place,
            default_on=node.seccomp_default,
            profile_root=node.seccomp_root,
        ),
        apparmor.decide(facts.pod, facts.container, place),
        user.decide(context, origin, facts.image, facts.image_name, place),
        shared,
        namespaces.decide_target(facts.target, place, shared),
        groups.decide_container(facts.pod.spec, facts.extra_groups, place),
        security_context.decide_no_new_privs(context, origin),
        masked_paths.decide(context, origin),
    )


def decide(facts: EffectiveFacts) -> Decision:
    """The effective context of one container; violations if the kubelet refuses to start it."""
    merged = merged_context(facts)
    return merge(verify_non_root(facts, merged), synthesize(facts, merged))
