"""appArmorProfile: Pods and containers keep an AppArmor profile of the node.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: the appArmorProfile of the Pod and of each container, if it is set, has the type RuntimeDefault or
  Localhost; an empty type is not allowed. Each annotation container.apparmor.security.beta.kubernetes.io/NAME, even if
  there is no container NAME, is empty, `runtime/default`, or begins with `localhost/`

The detail names each value once, sorted, values of fields before annotations; the reason is plural if there are
several. An annotation is printed as key="value".
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.explanation import Change
from podward.api.gotext import quote
from podward.path import Key, Path, path
from podward.policy.pss.check import (
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
from podward.policy.pss.wording import container_list, container_title, plural, quoted_list

ID = "appArmorProfile"
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_ALLOWED = frozenset(("RuntimeDefault", "Localhost"))


def _is_forbidden(profile: Profile | None) -> bool:
    return profile is not None and profile.type not in _ALLOWED


def _type(profile: Profile | None) -> str:
    return (profile.type or "") if profile is not None else ""


def _allowed_annotation(value: str) -> bool:
    return not value or value == "runtime/default" or value.startswith("localhost/")


def _annotations(facts: PssFacts) -> list[tuple[str, str]]:
    """The forbidden annotations, sorted as they are printed."""
    annotations = facts.pod.metadata.annotations
    if not annotations:
        return []
    bad = [
        (key, value or "")
        for key, value in annotations.items()
        if key.startswith(ANNOTATION) and not _allowed_annotation(value or "")
    ]
    return sorted(bad, key=_printed)


def _printed(annotation: tuple[str, str]) -> str:
    key, value = annotation
    return f"{key}={quote(value)}"


def _profiles(facts: PssFacts) -> CheckResult | None:
    pod = facts.context.app_armor_profile
    bad = [container for container in facts.containers if _is_forbidden(container.context.app_armor_profile)]
    annotations = _annotations(facts)
    if not (bad or annotations or _is_forbidden(pod)):
        return None
    who = ["pod"] if _is_forbidden(pod) else []
    who += [container_list(bad)] if bad else []
    who += [plural("annotation", "annotations", annotations)] if annotations else []
    types = {_type(container.context.app_armor_profile) for container in bad} | (
        {_type(pod)} if _is_forbidden(pod) else set()
    )
    values = sorted(types) + [_printed(annotation) for annotation in annotations]
    return failed(
        ID,
        plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values),
        f"{' and '.join(who)} must not set AppArmor profile type to {quoted_list(values)}",
        _violations(pod, bad, annotations),
    )


def _violations(
    pod: Profile | None, bad: list[ContainerRef], annotations: list[tuple[str, str]]
) -> list[FieldViolation]:
    violations: list[FieldViolation] = []
    if _is_forbidden(pod):
        kind = _type(pod)
        at = pod_context_path("appArmorProfile", "type")
        violations.append((at, kind, f'The Pod asks for the AppArmor profile "{kind}", not for one of the node\'s.'))
    for container in bad:
        kind = _type(container.context.app_armor_profile)
        at = container.context_path("appArmorProfile", "type")
        title = container_title(container)
        violations.append((at, kind, f'{title} asks for the AppArmor profile "{kind}", not for one of the node\'s.'))
    for key, value in annotations:
        at = path("metadata", "annotations", Key(key))
        violations.append((at, value, f"An annotation asks for the AppArmor profile {quote(value)}."))
    return violations


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove the AppArmor profile: the runtime's default then applies.",
        tuple(Change(_profile_path(violation.path), None) for violation in result.decision.violations),
    )


def _profile_path(place: Path) -> Path:
    """The path of the whole profile for a violation of its type, so that no name without a type remains.

    An annotation's path is unchanged.
    """
    return place if isinstance(place.segments[-1], Key) else Path(place.segments[:-1])


CHECK = Check(ID, Level.BASELINE, (Revision(0, _profiles),), _remedy)
