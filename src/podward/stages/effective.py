"""The effective stage: what the kubelet makes of a Pod, one of its containers, and the image's user.

Facts in, a Decision about an `EffectiveContext` out. The rules stand in `podward.policy.kubelet`, one per file; this
module only says in which order they are asked, because the kubelet reports the first error.
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
    no_new_privs,
    non_root,
    seccomp,
    sysctls,
    user,
    windows,
)
from podward.policy.kubelet import (
    merge as merging,
)


class EffectiveFacts(Struct, frozen=True, gc=False):
    """What the kubelet knows when it starts a container.

    `image` is the image's user as the kubelet takes it (`policy.kubelet.user.image_user`), or why nobody knows it;
    `userns` the id range kept for this Pod (needed only if hostUsers is false); `extra_groups` the groups that its
    volumes bring.
    """

    pod: Pod
    container: Container
    place: Place
    image: ImageUser | Unknown
    image_name: str
    node: Node
    userns: IDMapping | None = None
    extra_groups: tuple[int, ...] = ()


def admit(pod: Pod, place: Place, node: Node) -> Decision:
    """What the node refuses before it starts anything of this Pod."""
    return merge(
        windows.admit(pod.spec, place),
        groups.admit(pod.spec, place, supported=node.supplemental_groups_policy),
        sysctls.admit(pod.spec, place, node.allowed_unsafe_sysctls),
        apparmor.admit_host(pod, place, enabled=node.lsm == "apparmor"),
        apparmor.admit(pod, place),
    )


def merged_context(facts: EffectiveFacts) -> Outcome[SecurityContext]:
    """The merge of Pod and container alone."""
    decision = merging.decide(facts.pod.spec.security_context, facts.container.security_context, facts.place)
    return Outcome(decision.fold(EffectiveContext).security_context, decision)


def verify_non_root(facts: EffectiveFacts, merged: Outcome[SecurityContext]) -> Decision:
    """The runAsNonRoot refusal, if any."""
    return non_root.decide(facts.pod, facts.container.name, merged, facts.image, facts.place)


def synthesize(facts: EffectiveFacts, merged: Outcome[SecurityContext]) -> Decision:
    """The context itself, without the runAsNonRoot check; violations stand in the kubelet's order."""
    context, made, place, node = merged.value, merged.decision, facts.place, facts.node
    return merge(
        made,
        seccomp.decide(
            facts.pod,
            facts.container.security_context,
            place,
            default_on=node.seccomp_default,
            profile_root=node.seccomp_root,
        ),
        apparmor.decide(facts.pod, facts.container, place),
        user.decide(context, made, facts.image, facts.image_name, place),
        namespaces.decide(facts.pod.spec, place, facts.userns, userns_supported=node.userns_supported),
        groups.decide_container(facts.pod.spec, facts.extra_groups, place),
        no_new_privs.decide(context, made),
        masked_paths.decide(context, made),
    )


def decide(facts: EffectiveFacts) -> Decision:
    """Everything about one container: its effective context, and whether it may start."""
    merged = merged_context(facts)
    return merge(verify_non_root(facts, merged), synthesize(facts, merged))
