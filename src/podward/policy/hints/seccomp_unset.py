"""Neither the Pod nor the container sets a seccomp profile: the container runs unconfined.

Specification (kubelet `getSeccompProfile`; KEP-2413), in our words: where neither the container nor the Pod names
a profile, the kubelet's `seccompDefault` decides, which is false unless the node's administrator has changed it. The
container may then make every system call. No hint is given about an explicit Unconfined, which is intended, about a
privileged container, which never has a filter, or about a container that the kubelet refuses.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin
from podward.path import path
from podward.policy.hints.facts import HintFacts, pod_field

NAME = "seccomp-unset"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """At most one hint; its change sets the profile on the Pod, for all containers."""
    context = facts.effective.value
    row = facts.effective.decision.assignment(path("seccomp"))
    if (
        facts.config is None
        or row is None
        or row.source.origin is not Origin.NODE
        or context.security_context.privileged
    ):
        return ()
    if context.seccomp is None or context.seccomp.profile_type != "Unconfined":
        return ()
    field = pod_field(facts, "securityContext", "seccompProfile")
    return (
        Hint(
            NAME,
            facts.container.name,
            field,
            "No seccompProfile is set and the node's seccompDefault is false: the process may make every system call.",
            "Set seccompProfile to type RuntimeDefault on the Pod.",
            (Change(field, {"type": "RuntimeDefault"}),),
            row.source,
        ),
    )
