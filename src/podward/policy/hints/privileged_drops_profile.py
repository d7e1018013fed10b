"""privileged: true silently removes a seccomp or AppArmor profile of the manifest.

Specification (containerd 2.2, CRI-O 1.33, Docker 29 with cri-dockerd 0.3), in our words: a privileged container has no
seccomp filter, whatever profile the manifest names. On a node with AppArmor it does not have the default profile
either; containerd and Docker apply a Localhost profile, CRI-O does not. No runtime reports an error. The hint is given
for a profile of the container or its Pod, but not for Unconfined, which is the result anyway.
"""

from __future__ import annotations

from podward.api.cri import SecurityProfile
from podward.api.explanation import Change, Hint
from podward.decision import Origin
from podward.path import path
from podward.policy.hints.facts import HintFacts, container_field, manifest_source

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
    privileged = container_field(facts, "securityContext", "privileged")
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
            manifest_source(facts, privileged),
        ),
    )


def _loses_apparmor(facts: HintFacts) -> bool:
    """Whether the runtime spec lacks the requested profile, on a node with AppArmor."""
    requested = facts.effective.value.apparmor
    if facts.node.lsm != "apparmor" or facts.spec is None or requested is None:
        return False
    return facts.spec.value.process.apparmor_profile in ("", "unconfined")
