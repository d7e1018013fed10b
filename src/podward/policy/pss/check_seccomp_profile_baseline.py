"""seccompProfile_baseline: nobody may switch the filter of system calls off.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: the annotation seccomp.security.alpha.kubernetes.io/pod, and
  container.seccomp.security.alpha.kubernetes.io/NAME for each container that there is, are absent, `runtime/default`,
  `docker/default`, or begin with `localhost/`; empty is not allowed. Fields are not looked at
- since 1.19: the Pod's and each container's seccompProfile, where there is one, has the type RuntimeDefault or
  Localhost. Annotations are not looked at; at restricted, seccompProfile_restricted takes this check's place
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.api.gotext import quote
from podward.decision import Value
from podward.path import Key, Path, path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.seccomp_profiles import (
    CONTAINER_ANNOTATION,
    POD_ANNOTATION,
    REASON,
    detail,
    faults,
    forbidden,
    setting_forbidden,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import plural

ID = "seccompProfile_baseline"


def _allowed_annotation(value: str) -> bool:
    return value in {"runtime/default", "docker/default"} or value.startswith("localhost/")


def _annotations(facts: Facts) -> CheckResult | None:
    annotations = facts.pod.metadata.annotations
    if not annotations:
        return None
    keys = {POD_ANNOTATION, *(CONTAINER_ANNOTATION + spot.name for spot in facts.spots)}
    printed = {
        f"{key}={quote(value or '')}": (key, value or "")
        for key, value in annotations.items()
        if key in keys and not _allowed_annotation(value or "")
    }
    if not printed:
        return None
    bad: list[tuple[Path, Value, str]] = [
        (
            path("metadata", "annotations", Key(key)),
            value,
            f"An annotation asks for the seccomp profile {quote(value)}.",
        )
        for _, (key, value) in sorted(printed.items())
    ]
    words = f"forbidden {plural('annotation', 'annotations', bad)} {', '.join(sorted(printed))}"
    return found(ID, REASON, words, bad)


def _fields(facts: Facts) -> CheckResult | None:
    bad = setting_forbidden(facts)
    if not (bad or forbidden(facts.context.seccomp_profile)):
        return None
    return found(ID, REASON, detail(facts, bad), faults(facts, bad))


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove the seccomp profile: the node's default then applies.",
        tuple(Change(_whole(fault.path), None) for fault in result.decision.violations),
    )


def _whole(place: Path) -> Path:
    """The annotation, or the profile that a type is of."""
    return place if isinstance(place.segments[-1], Key) else Path(place.segments[:-1])


CHECK = Check(ID, Level.BASELINE, (Revision(0, _annotations), Revision(19, _fields)), _cure)
