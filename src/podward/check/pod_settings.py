"""The security settings of a Pod and its containers as text, each with the fields that decide it.

A container's value counts before the Pod's. Specification: Kubernetes, core/v1 PodSecurityContext and
SecurityContext: "if set in both, the value in SecurityContext takes precedence".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from podward.api.core import Container, Pod, PodSecurityContext, Profile, SecurityContext, SELinuxOptions
from podward.api.policy_change import ChangeKind
from podward.path import Path, path

_POD = path("spec", "securityContext")
_NOTHING = SecurityContext()
_NOTHING_ON_POD = PodSecurityContext()


class SettingName(Struct, frozen=True):
    """A setting's container (empty for the Pod itself) and the name of its field."""

    container: str
    field: str


class PodSetting(Struct, frozen=True):
    """A setting with its value as text. `paths` are the fields that may have it; an earlier one counts before later."""

    kind: ChangeKind
    place: SettingName
    text: str
    paths: tuple[Path, ...]


def settings_of_pod(pod: Pod) -> dict[tuple[ChangeKind, SettingName], PodSetting]:
    """Every setting that a policy may have made: first the Pod's, then each container's."""
    context = pod.spec.security_context or _NOTHING_ON_POD
    found = [*_of_pod(context, pod.spec.host_users)]
    for field, containers in (
        ("initContainers", pod.spec.init_containers),
        ("containers", pod.spec.containers),
        ("ephemeralContainers", pod.spec.ephemeral_containers),
    ):
        for index, container in enumerate(containers or ()):
            found += _of_container(container, path("spec", field, index, "securityContext"), context)
    return {(setting.kind, setting.place): setting for setting in found}


def _of_pod(context: PodSecurityContext, host_users: bool | None) -> Iterator[PodSetting]:  # noqa: FBT001  # a value of the Pod
    groups = _numbers(context.supplemental_groups or ())
    fs_group = "unset" if context.fs_group is None else str(context.fs_group)
    yield PodSetting(ChangeKind.GROUPS, SettingName("", "fsGroup"), fs_group, (_POD / "fsGroup",))
    yield PodSetting(ChangeKind.GROUPS, SettingName("", "supplementalGroups"), groups, (_POD / "supplementalGroups",))
    yield PodSetting(ChangeKind.SETTINGS, SettingName("", "hostUsers"), _flag(host_users), (path("spec", "hostUsers"),))


def _of_container(container: Container, at: Path, pod: PodSecurityContext) -> Iterator[PodSetting]:
    own = container.security_context or _NOTHING
    name = container.name

    def setting(kind: ChangeKind, field: str, text: str, *inherited: Path) -> PodSetting:
        return PodSetting(kind, SettingName(name, field), text, (at + path(*field.split(".")), *inherited))

    uid = own.run_as_user if own.run_as_user is not None else pod.run_as_user
    yield setting(ChangeKind.UID, "runAsUser", "the image's user" if uid is None else str(uid), _POD / "runAsUser")
    label = own.se_linux_options or pod.se_linux_options
    yield setting(ChangeKind.SELINUX, "seLinuxOptions", _label(label), _POD / "seLinuxOptions")
    profile = own.seccomp_profile or pod.seccomp_profile
    yield setting(ChangeKind.SECCOMP, "seccompProfile", _profile(profile), _POD / "seccompProfile")
    added = own.capabilities.add if own.capabilities else None
    dropped = own.capabilities.drop if own.capabilities else None
    yield setting(ChangeKind.CAPABILITIES, "capabilities.add", _words(sorted(added or ())))
    yield setting(ChangeKind.CAPABILITIES, "capabilities.drop", _words(sorted(dropped or ())))
    non_root = own.run_as_non_root if own.run_as_non_root is not None else pod.run_as_non_root
    yield setting(ChangeKind.SETTINGS, "runAsNonRoot", _flag(non_root), _POD / "runAsNonRoot")
    yield setting(ChangeKind.SETTINGS, "privileged", _flag(own.privileged))
    yield setting(ChangeKind.SETTINGS, "allowPrivilegeEscalation", _flag(own.allow_privilege_escalation))
    yield setting(ChangeKind.SETTINGS, "readOnlyRootFilesystem", _flag(own.read_only_root_filesystem))


def settings_text(settings: Sequence[PodSetting], pod: Pod) -> str:
    """These settings of one kind on one line; containers are named unless all have the same value."""
    every = {c.name for list_ in (pod.spec.init_containers, pod.spec.containers) for c in list_ or ()}
    by_text: dict[str, list[str]] = {}
    for setting in settings:
        field = setting.place.field.removeprefix("capabilities.")
        text = setting.text if setting.kind in _ONE_FIELD else f"{field} {setting.text}"
        by_text.setdefault(text, []).append(setting.place.container)
    return "; ".join(_with_names(text, names, every) for text, names in by_text.items())


_ONE_FIELD = frozenset((ChangeKind.UID, ChangeKind.SELINUX, ChangeKind.SECCOMP))
"""Kinds that have only one field, so its name is left out."""


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
