"""seccompProfile_baseline and seccompProfile_restricted: containers keep a filter of system calls.

Specification (k8s.io/pod-security-admission, in our words):

seccompProfile_baseline, level baseline: nobody may switch the filter off.

- since 1.0: the annotations seccomp.security.alpha.kubernetes.io/pod and
  container.seccomp.security.alpha.kubernetes.io/NAME, for each existing container NAME, are absent, `runtime/default`,
  `docker/default`, or begin with `localhost/`; empty is not allowed. Fields are not checked
- since 1.19: the seccompProfile of the Pod and of each container, if it is set, has the type RuntimeDefault or
  Localhost, written exactly so; a profile without type fails. Annotations are not checked; at restricted,
  seccompProfile_restricted replaces this check

seccompProfile_restricted, level restricted, overrides seccompProfile_baseline: every container has a filter.

- since 1.19: as seccompProfile_baseline; and each container has a profile or the Pod has one
- since 1.25: a Pod with os.name windows passes

If anybody sets another type, the detail of seccompProfile_restricted names only them, and not the containers without a
profile. Our violations list both.
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.explanation import Change
from podward.api.gotext import quote
from podward.path import Key, Path, path
from podward.policy.pss.check import (
    WINDOWS_NEEDS_V1_25,
    Check,
    CheckResult,
    ContainerRef,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title, plural, quoted_list, setter_list

BASELINE_ID = "seccompProfile_baseline"
RESTRICTED_ID = "seccompProfile_restricted"
POD_ANNOTATION = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_ANNOTATION = "container.seccomp.security.alpha.kubernetes.io/"
_FIELD = "seccompProfile"
_REASON = "seccompProfile"
_ALLOWED = frozenset(("RuntimeDefault", "Localhost"))
_DEFAULT_ANNOTATIONS = frozenset(("runtime/default", "docker/default"))
_DEFAULT_PROFILE = {"type": "RuntimeDefault"}
_OVERRIDES = (BASELINE_ID,)


def _is_allowed(profile: Profile | None) -> bool:
    """Whether a profile is set and its type is allowed."""
    return profile is not None and profile.type in _ALLOWED


def _is_forbidden(profile: Profile | None) -> bool:
    """Whether a profile is set and its type is not allowed."""
    return profile is not None and profile.type not in _ALLOWED


def _forbidden_containers(facts: PssFacts) -> list[ContainerRef]:
    return [container for container in facts.containers if _is_forbidden(container.context.seccomp_profile)]


def _type(profile: Profile | None) -> str:
    return (profile.type or "") if profile is not None else ""


def _forbidden_detail(facts: PssFacts, bad: list[ContainerRef]) -> str:
    """Upstream's sentence about the Pod and the containers that set a forbidden type."""
    pod = facts.context.seccomp_profile
    types = {_type(container.context.seccomp_profile) for container in bad}
    types |= {_type(pod)} if _is_forbidden(pod) else set()
    who = setter_list(bad, pod=_is_forbidden(pod))
    return f"{who} must not set securityContext.seccompProfile.type to {quoted_list(sorted(types))}"


def _forbidden_violations(facts: PssFacts, bad: list[ContainerRef]) -> list[FieldViolation]:
    violations: list[FieldViolation] = []
    pod = facts.context.seccomp_profile
    if _is_forbidden(pod):
        kind = _type(pod)
        sentence = f'The Pod asks for the seccomp profile "{kind}", which filters nothing.'
        violations.append((pod_context_path(_FIELD, "type"), kind, sentence))
    for container in bad:
        kind = _type(container.context.seccomp_profile)
        sentence = f'{container_title(container)} asks for the seccomp profile "{kind}", which filters nothing.'
        violations.append((container.context_path(_FIELD, "type"), kind, sentence))
    return violations


def _allowed_annotation(value: str) -> bool:
    return value in _DEFAULT_ANNOTATIONS or value.startswith("localhost/")


def _baseline_annotations(facts: PssFacts) -> CheckResult | None:
    annotations = facts.pod.metadata.annotations
    if not annotations:
        return None
    keys = {POD_ANNOTATION, *(CONTAINER_ANNOTATION + container.name for container in facts.containers)}
    printed = {
        f"{key}={quote(value or '')}": (key, value or "")
        for key, value in annotations.items()
        if key in keys and not _allowed_annotation(value or "")
    }
    if not printed:
        return None
    violations: list[FieldViolation] = [
        (
            path("metadata", "annotations", Key(key)),
            value,
            f"An annotation asks for the seccomp profile {quote(value)}.",
        )
        for _, (key, value) in sorted(printed.items())
    ]
    detail = f"forbidden {plural('annotation', 'annotations', violations)} {', '.join(sorted(printed))}"
    return failed(BASELINE_ID, _REASON, detail, violations)


def _baseline_fields(facts: PssFacts) -> CheckResult | None:
    bad = _forbidden_containers(facts)
    if not (bad or _is_forbidden(facts.context.seccomp_profile)):
        return None
    return failed(BASELINE_ID, _REASON, _forbidden_detail(facts, bad), _forbidden_violations(facts, bad))


def _baseline_remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove the seccomp profile: the node's default then applies.",
        tuple(Change(_profile_path(violation.path), None) for violation in result.decision.violations),
    )


def _profile_path(place: Path) -> Path:
    """The path of the whole profile for a violation of its type; an annotation's path is unchanged."""
    return place if isinstance(place.segments[-1], Key) else Path(place.segments[:-1])


def _without_profile(facts: PssFacts) -> list[ContainerRef]:
    """Containers without a profile, if the Pod has no allowed profile either."""
    if _is_allowed(facts.context.seccomp_profile):
        return []
    return [container for container in facts.containers if container.context.seccomp_profile is None]


def _restricted(facts: PssFacts) -> CheckResult | None:
    pod_bad = _is_forbidden(facts.context.seccomp_profile)
    explicit, implicit = _forbidden_containers(facts), _without_profile(facts)
    if not (pod_bad or explicit or implicit):
        return None
    violations = _forbidden_violations(facts, explicit)
    if implicit and not pod_bad:
        verb = "sets" if len(implicit) == 1 else "set"
        sentence = f"Neither the Pod nor {container_list(implicit)} {verb} a seccomp profile."
        violations.append((pod_context_path(_FIELD, "type"), None, sentence))
    if pod_bad or explicit:
        detail = _forbidden_detail(facts, explicit)
    else:
        field = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        detail = f"pod or {container_list(implicit)} must set {field}"
    return failed(RESTRICTED_ID, _REASON, detail, violations)


def _restricted_on_linux(facts: PssFacts) -> CheckResult | None:
    return None if facts.windows else _restricted(facts)


def _restricted_remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del result
    if facts.windows:
        return WINDOWS_NEEDS_V1_25
    set_on_pod = _is_forbidden(facts.context.seccomp_profile) or bool(_without_profile(facts))
    covered_by_pod = set_on_pod or _is_allowed(facts.context.seccomp_profile)
    changes = [Change(pod_context_path(_FIELD), _DEFAULT_PROFILE)] if set_on_pod else []
    changes += [
        Change(container.context_path(_FIELD), None if covered_by_pod else _DEFAULT_PROFILE)
        for container in _forbidden_containers(facts)
    ]
    changes += _contradicting_annotations(facts)
    if set_on_pod:
        sentence = "Set seccompProfile to type RuntimeDefault on the Pod, and leave it to the Pod."
    elif covered_by_pod:
        sentence = "Remove the container's seccompProfile: the Pod's applies."
    else:
        sentence = "Set seccompProfile to type RuntimeDefault on the container."
    return PssRemedy(sentence, tuple(changes))


def _contradicting_annotations(facts: PssFacts) -> tuple[Change, ...]:
    """The removal of every annotation that does not match a field that is set to RuntimeDefault.

    The API server refuses a Pod whose annotation and field differ.
    """
    return tuple(
        Change(path("metadata", "annotations", Key(key)), None)
        for key, value in (facts.pod.metadata.annotations or {}).items()
        if (key == POD_ANNOTATION or key.startswith(CONTAINER_ANNOTATION)) and value not in _DEFAULT_ANNOTATIONS
    )


BASELINE = Check(
    BASELINE_ID, Level.BASELINE, (Revision(0, _baseline_annotations), Revision(19, _baseline_fields)), _baseline_remedy
)
RESTRICTED = Check(
    RESTRICTED_ID,
    Level.RESTRICTED,
    (Revision(19, _restricted, _OVERRIDES), Revision(25, _restricted_on_linux, _OVERRIDES)),
    _restricted_remedy,
)
