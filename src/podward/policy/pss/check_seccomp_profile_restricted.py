"""seccompProfile_restricted: every container has a filter of system calls.

Specification (k8s.io/pod-security-admission, in our words), level restricted, overrides seccompProfile_baseline:

- since 1.19: the Pod's and each container's seccompProfile, where there is one, has the type RuntimeDefault or
  Localhost, and each container has one or the Pod has
- since 1.25: not asked of a Pod with os.name windows

Where somebody sets another type, the detail is about them alone, and containers that set nothing are not named; here
their fault is listed all the same.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found, on_pod
from podward.policy.pss.seccomp_profiles import (
    REASON,
    allowed,
    contradicting,
    detail,
    faults,
    forbidden,
    setting_forbidden,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.windows import NOT_EXEMPT_YET
from podward.policy.pss.wording import containers

ID = "seccompProfile_restricted"
_OVERRIDES = ("seccompProfile_baseline",)
_DEFAULT = {"type": "RuntimeDefault"}


def _without(facts: Facts) -> list[ContainerRef]:
    """Containers that set no profile, where the Pod sets none that counts."""
    if allowed(facts.context.seccomp_profile):
        return []
    return [spot for spot in facts.spots if spot.context.seccomp_profile is None]


def _every_container(facts: Facts) -> CheckResult | None:
    pod_bad = forbidden(facts.context.seccomp_profile)
    explicit, implicit = setting_forbidden(facts), _without(facts)
    if not (pod_bad or explicit or implicit):
        return None
    listed = faults(facts, explicit)
    if implicit and not pod_bad:
        verb = "sets" if len(implicit) == 1 else "set"
        sentence = f"Neither the Pod nor {containers(implicit)} {verb} a seccomp profile."
        listed.append((on_pod("seccompProfile", "type"), None, sentence))
    if pod_bad or explicit:
        words = detail(facts, explicit)
    else:
        field = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        words = f"pod or {containers(implicit)} must set {field}"
    return found(ID, REASON, words, listed)


def _linux(facts: Facts) -> CheckResult | None:
    return None if facts.windows else _every_container(facts)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del result
    if facts.windows:
        return NOT_EXEMPT_YET
    pod_field = "seccompProfile"
    on_the_pod = forbidden(facts.context.seccomp_profile) or bool(_without(facts))
    covered = on_the_pod or allowed(facts.context.seccomp_profile)
    changes = [Change(on_pod(pod_field), _DEFAULT)] if on_the_pod else []
    changes += [Change(spot.set_at(pod_field), None if covered else _DEFAULT) for spot in setting_forbidden(facts)]
    changes += contradicting(facts)
    if not on_the_pod:
        where = "Remove the container's seccompProfile: the Pod's applies." if covered else ""
        return PssRemedy(where or "Set seccompProfile to type RuntimeDefault on the container.", tuple(changes))
    return PssRemedy("Set seccompProfile to type RuntimeDefault on the Pod, and leave it to the Pod.", tuple(changes))


CHECK = Check(
    ID,
    Level.RESTRICTED,
    (Revision(19, _every_container, _OVERRIDES), Revision(25, _linux, _OVERRIDES)),
    _cure,
)
