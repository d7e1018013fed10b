"""What policies make of a Pod, as text: its identity and its confinement, each value with the places that decide it.

A container's value counts before the Pod's. Specification: Kubernetes, core/v1 PodSecurityContext and
SecurityContext: "if set in both, the value in SecurityContext takes precedence".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from podward.api.core import Container, Pod, PodSecurityContext, Profile, SecurityContext, SELinuxOptions
from podward.api.policy_change import Kind
from podward.path import Path, path

_POD = path("spec", "securityContext")
_NOTHING = SecurityContext()
_NOTHING_ON_POD = PodSecurityContext()


class TraitPlace(Struct, frozen=True):
    """What a value is about: a container by its name, or the Pod where that is empty, and the field."""

    container: str
    field: str


class Trait(Struct, frozen=True):
    """A value in words; `places` are where it may stand, the one that counts first before the others."""

    kind: Kind
    spot: TraitPlace
    text: str
    places: tuple[Path, ...]


def traits_of(pod: Pod) -> dict[tuple[Kind, TraitPlace], Trait]:
    """Every value that a policy may have set, in the order of the kinds' fields, Pod first."""
    context = pod.spec.security_context or _NOTHING_ON_POD
    found = [*_of_pod(context, pod.spec.host_users)]
    for field, containers in (
        ("initContainers", pod.spec.init_containers),
        ("containers", pod.spec.containers),
        ("ephemeralContainers", pod.spec.ephemeral_containers),
    ):
        for index, container in enumerate(containers or ()):
            found += _of_container(container, path("spec", field, index, "securityContext"), context)
    return {(trait.kind, trait.spot): trait for trait in found}


def _of_pod(context: PodSecurityContext, host_users: bool | None) -> Iterator[Trait]:  # noqa: FBT001  # a value of the Pod
    groups = _numbers(context.supplemental_groups or ())
    fs_group = "unset" if context.fs_group is None else str(context.fs_group)
    yield Trait(Kind.GROUPS, TraitPlace("", "fsGroup"), fs_group, (_POD / "fsGroup",))
    yield Trait(Kind.GROUPS, TraitPlace("", "supplementalGroups"), groups, (_POD / "supplementalGroups",))
    yield Trait(Kind.SETTINGS, TraitPlace("", "hostUsers"), _flag(host_users), (path("spec", "hostUsers"),))


def _of_container(container: Container, at: Path, pod: PodSecurityContext) -> Iterator[Trait]:
    own = container.security_context or _NOTHING
    name = container.name

    def trait(kind: Kind, field: str, text: str, *inherited: Path) -> Trait:
        return Trait(kind, TraitPlace(name, field), text, (at + path(*field.split(".")), *inherited))

    uid = own.run_as_user if own.run_as_user is not None else pod.run_as_user
    yield trait(Kind.UID, "runAsUser", "the image's user" if uid is None else str(uid), _POD / "runAsUser")
    label = own.se_linux_options or pod.se_linux_options
    yield trait(Kind.SELINUX, "seLinuxOptions", _label(label), _POD / "seLinuxOptions")
    profile = own.seccomp_profile or pod.seccomp_profile
    yield trait(Kind.SECCOMP, "seccompProfile", _profile(profile), _POD / "seccompProfile")
    added = own.capabilities.add if own.capabilities else None
    dropped = own.capabilities.drop if own.capabilities else None
    yield trait(Kind.CAPABILITIES, "capabilities.add", _words(sorted(added or ())))
    yield trait(Kind.CAPABILITIES, "capabilities.drop", _words(sorted(dropped or ())))
    non_root = own.run_as_non_root if own.run_as_non_root is not None else pod.run_as_non_root
    yield trait(Kind.SETTINGS, "runAsNonRoot", _flag(non_root), _POD / "runAsNonRoot")
    yield trait(Kind.SETTINGS, "privileged", _flag(own.privileged))
    yield trait(Kind.SETTINGS, "allowPrivilegeEscalation", _flag(own.allow_privilege_escalation))
    yield trait(Kind.SETTINGS, "readOnlyRootFilesystem", _flag(own.read_only_root_filesystem))


def told(traits: Sequence[Trait], pod: Pod) -> str:
    """These values of one kind in one line: containers are named unless all have the same."""
    every = {c.name for list_ in (pod.spec.init_containers, pod.spec.containers) for c in list_ or ()}
    by_text: dict[str, list[str]] = {}
    for trait in traits:
        field = trait.spot.field.removeprefix("capabilities.")
        text = trait.text if trait.kind in _SPEAKING else f"{field} {trait.text}"
        by_text.setdefault(text, []).append(trait.spot.container)
    return "; ".join(_with_names(text, names, every) for text, names in by_text.items())


_SPEAKING = frozenset((Kind.UID, Kind.SELINUX, Kind.SECCOMP))
"""Kinds with one field, whose name would say nothing more."""


def _with_names(text: str, names: list[str], every: set[str]) -> str:
    return text if names == [""] or every.issubset(names) else f"{', '.join(names)}: {text}"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "unset"


def _words(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"


def _flag(value: bool | None) -> str:  # noqa: FBT001  # a value of the Pod
    return "unset" if value is None else str(value).lower()


def _label(label: SELinuxOptions | None) -> str:
    parts = [part or "" for part in (label.user, label.role, label.type, label.level)] if label else []
    if not any(parts):
        return "the runtime's choice"
    return parts[3] if not any(parts[:3]) else ":".join(part or "*" for part in parts)


def _profile(profile: Profile | None) -> str:
    if profile is None or not profile.type:
        return "unset"
    return f"{profile.type} {profile.localhost_profile}" if profile.localhost_profile else profile.type
