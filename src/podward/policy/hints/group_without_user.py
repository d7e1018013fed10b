"""runAsGroup is set without runAsUser: the process is still root, or the runtime refuses the Pod.

Specification (CRI v1 `run_as_group`: only with a user, "otherwise, the runtime MUST error"; kubelet
`generatePodSandboxLinuxConfig`; containerd 2.2 `GenerateUserString`, cri-dockerd 0.3), in our words:
- For a container the kubelet fills in the image's user, uid 0 if it has none: a group alone makes root in that group.
- For the Pod's sandbox it fills in nothing: with runAsGroup on the Pod and runAsUser only on its containers or
  nowhere, containerd and cri-dockerd refuse to make the sandbox; CRI-O makes it.
The hint stands in both cases, not for a group on the container whose image names another user than root, or an unknown
one. The uid to write is the image's; where that is root, the uid of the image's /etc/passwd that has this primary
group, else the group's own number. Where the image is unknown, it is an example.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin, Source
from podward.path import path
from podward.policy.hints import identity
from podward.policy.hints.facts import HintFacts, container_field, manifest_source, pod_field

NAME = "group-without-user"
RULE = Source(Origin.RULE, "CRI v1 run_as_group")
USER = path("runAsUser")
EXAMPLE = 1000


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint."""
    of_pod, merged = facts.pod.spec.security_context, facts.effective.value.security_context
    if of_pod is not None and of_pod.run_as_group is not None and of_pod.run_as_user is None:
        return (_on_pod(facts, of_pod.run_as_group),)
    own = facts.container.security_context
    if own is None or own.run_as_group is None or merged.run_as_user is not None:
        return ()
    if facts.effective.decision.unknown(USER) or identity.of(facts).uid:
        return ()
    field = container_field(facts, "securityContext", "runAsGroup")
    uid = _user_of(facts, own.run_as_group)
    if uid == 0:
        return ()
    return (
        Hint(
            NAME,
            facts.container.name,
            field,
            f"runAsGroup {own.run_as_group} is set without runAsUser: the process is the image's root in that group.",
            f"Set runAsUser as well, such as {uid}.",
            (Change(container_field(facts, "securityContext", "runAsUser"), uid),),
            manifest_source(facts, field),
        ),
    )


def _on_pod(facts: HintFacts, group: int) -> Hint:
    field = pod_field(facts, "securityContext", "runAsGroup")
    who = identity.of(facts)
    uid = who.uid or _user_of(facts, group)
    root = "" if who.uid else f" and the process is root with group {who.gid}"
    if facts.effective.decision.unknown(USER):
        uid, root = EXAMPLE, ""
    return Hint(
        NAME,
        facts.container.name,
        field,
        f"runAsGroup {group} stands on the Pod without runAsUser: containerd and cri-dockerd refuse its sandbox{root}.",
        f"Set runAsUser on the Pod as well, such as {uid}.",
        (Change(pod_field(facts, "securityContext", "runAsUser"), uid),),
        RULE,
    )


def _user_of(facts: HintFacts, group: int) -> int:
    """The user of the image that has this primary group and is not root; else the group's own number."""
    return next((entry.uid for entry in facts.passwd if entry.gid == group and entry.uid), group)
