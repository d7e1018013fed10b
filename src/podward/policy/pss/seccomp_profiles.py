"""What the two checks of seccomp profiles share: who sets a type that is not allowed.

A profile's type is allowed if it is exactly `RuntimeDefault` or `Localhost`; a profile without type is not.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Key, Path, path
from podward.policy.pss.check import ContainerRef, Facts, on_pod
from podward.policy.pss.wording import joined, owner, setters

REASON = "seccompProfile"
ALLOWED = frozenset(("RuntimeDefault", "Localhost"))
POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
_SAYING_DEFAULT = frozenset(("runtime/default", "docker/default"))


def allowed(profile: Profile | None) -> bool:
    """Whether there is a profile, and of an allowed type."""
    return profile is not None and profile.type in ALLOWED


def forbidden(profile: Profile | None) -> bool:
    """Whether there is a profile, and of another type."""
    return profile is not None and profile.type not in ALLOWED


def setting_forbidden(facts: Facts) -> list[ContainerRef]:
    """Containers that set a type which is not allowed."""
    return [spot for spot in facts.spots if forbidden(spot.context.seccomp_profile)]


def contradicting(facts: Facts) -> tuple[Change, ...]:
    """The removal of every annotation that says something else than a field which is set to RuntimeDefault.

    The API server refuses a Pod whose annotation and field do not match.
    """
    return tuple(
        Change(path("metadata", "annotations", Key(key)), None)
        for key, value in (facts.pod.metadata.annotations or {}).items()
        if (key == POD_ANNOTATION or key.startswith(CONTAINER_ANNOTATION)) and value not in _SAYING_DEFAULT
    )


def detail(facts: Facts, bad: list[ContainerRef]) -> str:
    """Upstream's sentence about those who set such a type."""
    pod = facts.context.seccomp_profile
    values = {_type(spot.context.seccomp_profile) for spot in bad} | ({_type(pod)} if forbidden(pod) else set())
    who = setters(bad, pod=forbidden(pod))
    return f"{who} must not set securityContext.seccompProfile.type to {joined(sorted(values))}"


def faults(facts: Facts, bad: list[ContainerRef]) -> list[tuple[Path, Value, str]]:
    """Place, value and sentence of each type that is not allowed."""
    made: list[tuple[Path, Value, str]] = []
    pod = facts.context.seccomp_profile
    if forbidden(pod):
        kind = _type(pod)
        sentence = f'The Pod asks for the seccomp profile "{kind}", which filters nothing.'
        made.append((on_pod("seccompProfile", "type"), kind, sentence))
    for spot in bad:
        kind = _type(spot.context.seccomp_profile)
        sentence = f'{owner(spot)} asks for the seccomp profile "{kind}", which filters nothing.'
        made.append((spot.set_at("seccompProfile", "type"), kind, sentence))
    return made


def _type(profile: Profile | None) -> str:
    return (profile.type or "") if profile is not None else ""
