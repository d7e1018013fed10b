"""Security contexts of plain Pods and containers.

Specification: `validation.security_context` and its rules, taken a little too strictly rather than too loosely.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from podward.schema.plain.part import Count, PlainObject, is_inside
from podward.schema.validation.sysctls import is_name, namespace

_LONGEST_PROFILE = 1000
"""Characters of a profile's path; the server takes 4095 bytes."""


class PlainProfile(PlainObject, frozen=True):
    """SeccompProfile and AppArmorProfile."""

    type: Literal["RuntimeDefault", "Unconfined", "Localhost"]
    localhost_profile: str | None = None


class PlainSELinuxOptions(PlainObject, frozen=True):
    """SELinuxOptions."""

    user: str | None = None
    role: str | None = None
    type: str | None = None
    level: str | None = None


class PlainCapabilities(PlainObject, frozen=True):
    """Capabilities."""

    add: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None


class PlainSecurityContext(PlainObject, frozen=True):
    """SecurityContext: the container's."""

    capabilities: PlainCapabilities | None = None
    privileged: bool | None = None
    run_as_user: Count | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    seccomp_profile: PlainProfile | None = None
    app_armor_profile: PlainProfile | None = None
    se_linux_options: PlainSELinuxOptions | None = field(default=None, name="seLinuxOptions")
    proc_mount: Literal["Default", "Unmasked"] | None = None


class PlainSysctl(PlainObject, frozen=True):
    """Sysctl."""

    name: str
    value: str


class PlainPodSecurityContext(PlainObject, frozen=True):
    """PodSecurityContext."""

    run_as_user: Count | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    supplemental_groups: tuple[Count, ...] | None = None
    fs_group: Count | None = None
    fs_group_change_policy: Literal["Always", "OnRootMismatch"] | None = None
    seccomp_profile: PlainProfile | None = None
    app_armor_profile: PlainProfile | None = None
    se_linux_options: PlainSELinuxOptions | None = field(default=None, name="seLinuxOptions")
    sysctls: tuple[PlainSysctl, ...] | None = None
    supplemental_groups_policy: Literal["Merge", "Strict"] | None = None
    se_linux_change_policy: Literal["Recursive"] | None = field(default=None, name="seLinuxChangePolicy")


def is_context(context: PlainSecurityContext, host_users: bool | None) -> bool:  # noqa: FBT001  # the field's value
    """Whether a container's context is sound; `host_users` is the Pod's field."""
    capabilities, profile = context.capabilities, context.seccomp_profile
    if capabilities is not None and capabilities.add and not _are_added(capabilities.add, context):
        return False
    if context.privileged and context.allow_privilege_escalation is False:
        return False
    if profile is not None and not is_profile(profile):
        return False
    if context.app_armor_profile is not None and not is_profile(context.app_armor_profile):
        return False
    return context.proc_mount != "Unmasked" or host_users is False


def _are_added(names: tuple[str, ...], context: PlainSecurityContext) -> bool:
    return context.allow_privilege_escalation is not False or "CAP_SYS_ADMIN" not in names


def is_profile(profile: PlainProfile) -> bool:
    """Whether the profile is sound, for system calls as well as for AppArmor."""
    name = profile.localhost_profile
    if profile.type != "Localhost":
        return name is None
    return name is not None and is_inside(name) and name == name.strip() and len(name) <= _LONGEST_PROFILE


def is_pod_context(
    context: PlainPodSecurityContext,
    host_network: bool | None,  # noqa: FBT001  # the fields' values
    host_ipc: bool | None,  # noqa: FBT001
) -> bool:
    """Whether the Pod's context is sound."""
    if context.seccomp_profile is not None and not is_profile(context.seccomp_profile):
        return False
    if context.app_armor_profile is not None and not is_profile(context.app_armor_profile):
        return False
    if not context.sysctls:
        return True
    names = {sysctl.name for sysctl in context.sysctls}
    shared = {"net"} if host_network else set()
    if host_ipc:
        shared.add("ipc")
    return len(names) == len(context.sysctls) and all(is_name(name) and namespace(name) not in shared for name in names)
