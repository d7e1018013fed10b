"""No seccomp profile anywhere: the container runs unconfined.

Specification (kubelet `getSeccompProfile`; KEP-2413), in our words: where neither the container nor the Pod names
a profile, the kubelet's `seccompDefault` decides, and that is false unless the node's administrator has said otherwise.
The container may then make every system call. Nothing is said about an explicit Unconfined, which was meant, nor about
a privileged container, which has no filter whatever it asks for, nor where the kubelet refuses the container.
"""

from __future__ import annotations

from podward.api.explanation import Change, Hint
from podward.decision import Origin
from podward.path import path
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import of_pod

NAME = "seccomp-unset"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint; its change is the Pod's, for all its containers."""
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
    field = of_pod(facts, "securityContext", "seccompProfile")
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
