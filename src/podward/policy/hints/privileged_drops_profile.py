"""privileged: true beside a seccomp or AppArmor profile, which it silently takes away.

Specification (containerd 2.2, CRI-O 1.33, Docker 29 with cri-dockerd 0.3), in our words: a privileged container has no
seccomp filter, whatever profile the manifest names. On a node with AppArmor it has no default profile either; a profile
of the node (Localhost) stays with containerd and Docker and is dropped by CRI-O. Neither is an error anywhere. The hint
stands for a profile that the container or its Pod names (not for Unconfined, which is what happens).
"""

from __future__ import annotations

from podward.api.cri import SecurityProfile
from podward.api.explanation import Change, Hint
from podward.decision import Origin
from podward.path import path
from podward.policy.hints.facts import HintFacts
from podward.policy.hints.manifest import of_container, written

NAME = "privileged-drops-profile"


def hint(facts: HintFacts) -> tuple[Hint, ...]:
    """One hint for each profile that is dropped."""
    context = facts.effective.value
    if not context.security_context.privileged:
        return ()
    return _dropped(facts, "seccomp", context.seccomp) + (
        _dropped(facts, "apparmor", context.apparmor) if _loses_apparmor(facts) else ()
    )


def _dropped(facts: HintFacts, name: str, profile: SecurityProfile | None) -> tuple[Hint, ...]:
    row = facts.effective.decision.assignment(path(name))
    if row is None or row.source.origin is not Origin.MANIFEST or row.source.path is None:
        return ()
    if profile is None or profile.profile_type == "Unconfined" or row.value != profile:
        return ()
    privileged = of_container(facts, "securityContext", "privileged")
    word = {"seccomp": "seccomp", "apparmor": "AppArmor"}[name]
    return (
        Hint(
            NAME,
            facts.container.name,
            row.source.path,
            f"The {word} profile {profile.localhost_ref or profile.profile_type} is not applied: the container is "
            "privileged.",
            "Leave privileged out, and add the capabilities that the container needs.",
            (Change(privileged, None),),
            written(facts, privileged),
        ),
    )


def _loses_apparmor(facts: HintFacts) -> bool:
    """Whether the runtime spec lacks the profile that was asked for; only a node with AppArmor had one to lose."""
    asked = facts.effective.value.apparmor
    if facts.node.lsm != "apparmor" or facts.spec is None or asked is None:
        return False
    return facts.spec.value.process.apparmor_profile in ("", "unconfined")
