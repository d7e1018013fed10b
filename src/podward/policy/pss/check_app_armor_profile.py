"""appArmorProfile: nobody may leave the node's AppArmor profiles.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: the Pod's and each container's appArmorProfile.type, where there is a profile, is RuntimeDefault or
  Localhost; an empty type is none of them. Each annotation below container.apparmor.security.beta.kubernetes.io/,
  whatever its container, is empty, `runtime/default`, or begins with `localhost/`

The values are sorted and named once, fields' before annotations'; the reason's plural counts them. An annotation
prints as key="value".
"""

from __future__ import annotations

from podward.api.core import Profile
from podward.api.explanation import Change
from podward.api.gotext import quote
from podward.decision import Value
from podward.path import Key, Path, path
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found, on_pod
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import containers, joined, owner, plural

ID = "appArmorProfile"
ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_ALLOWED = frozenset(("RuntimeDefault", "Localhost"))


def _bad(profile: Profile | None) -> bool:
    return profile is not None and profile.type not in _ALLOWED


def _type(profile: Profile | None) -> str:
    return (profile.type or "") if profile is not None else ""


def _allowed_annotation(value: str) -> bool:
    return not value or value == "runtime/default" or value.startswith("localhost/")


def _annotations(facts: Facts) -> list[tuple[str, str]]:
    """Annotations that are forbidden, as they print sorted."""
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


def _profiles(facts: Facts) -> CheckResult | None:
    pod = facts.context.app_armor_profile
    bad = [spot for spot in facts.spots if _bad(spot.context.app_armor_profile)]
    annotations = _annotations(facts)
    if not (bad or annotations or _bad(pod)):
        return None
    who = ["pod"] if _bad(pod) else []
    who += [containers(bad)] if bad else []
    who += [plural("annotation", "annotations", annotations)] if annotations else []
    types = {_type(spot.context.app_armor_profile) for spot in bad} | ({_type(pod)} if _bad(pod) else set())
    values = sorted(types) + [_printed(annotation) for annotation in annotations]
    return found(
        ID,
        plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values),
        f"{' and '.join(who)} must not set AppArmor profile type to {joined(values)}",
        _faults(pod, bad, annotations),
    )


def _faults(
    pod: Profile | None, bad: list[ContainerRef], annotations: list[tuple[str, str]]
) -> list[tuple[Path, Value, str]]:
    faults: list[tuple[Path, Value, str]] = []
    if _bad(pod):
        kind = _type(pod)
        at = on_pod("appArmorProfile", "type")
        faults.append((at, kind, f'The Pod asks for the AppArmor profile "{kind}", not for one of the node\'s.'))
    for spot in bad:
        kind = _type(spot.context.app_armor_profile)
        at = spot.set_at("appArmorProfile", "type")
        faults.append((at, kind, f'{owner(spot)} asks for the AppArmor profile "{kind}", not for one of the node\'s.'))
    for key, value in annotations:
        at = path("metadata", "annotations", Key(key))
        faults.append((at, value, f"An annotation asks for the AppArmor profile {quote(value)}."))
    return faults


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove the AppArmor profile: the runtime's default then applies.",
        tuple(Change(_whole(fault.path), None) for fault in result.decision.violations),
    )


def _whole(place: Path) -> Path:
    """The annotation, or the profile that a type is of: a name without its type would be left over."""
    return place if isinstance(place.segments[-1], Key) else Path(place.segments[:-1])


CHECK = Check(ID, Level.BASELINE, (Revision(0, _profiles),), _cure)
