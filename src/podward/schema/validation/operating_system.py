"""Fields of the other operating system.

Specification: Kubernetes, validateOS, validateLinux, validateWindows. `spec.os` must name linux or windows. A
Linux Pod has no windowsOptions, a Windows Pod none of the fields listed here. Only fields that say so are looked at:
without `os` nothing is refused. An empty list of groups counts as set.
"""

from __future__ import annotations

from podward.api.core import Container, PodSecurityContext, PodSpec, SecurityContext
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import forbidden, required, unsupported

_NOT_ON_LINUX = "windows options cannot be set for a linux pod"
_NOT_ON_WINDOWS = "cannot be set for a windows pod"


def check(spec: PodSpec, containers: tuple[tuple[Path, Container], ...], at: Path) -> Decision:
    """The Pod's `os`, and what it forbids."""
    if spec.os is None:
        return Decision()
    name = spec.os.name or ""
    if not name:
        return required(at / "os" / "name")
    if name not in {"linux", "windows"}:
        return unsupported(at / "os", name, ("linux", "windows"))
    found: list[Decision] = []
    context = spec.security_context
    if name == "linux":
        if context and context.windows_options is not None:
            found.append(forbidden(at / "securityContext" / "windowsOptions", _NOT_ON_LINUX))
        for place, container in containers:
            if container.security_context and container.security_context.windows_options is not None:
                found.append(forbidden(place / "securityContext" / "windowsOptions", _NOT_ON_LINUX))
        return merge(*found)
    found.append(_pod_on_windows(spec, context or PodSecurityContext(), at))
    for place, container in containers:
        own = container.security_context or SecurityContext()
        found.append(_container_on_windows(own, place / "securityContext"))
    return merge(*found)


def _pod_on_windows(spec: PodSpec, context: PodSecurityContext, at: Path) -> Decision:
    inside = at / "securityContext"
    fields = (
        (context.app_armor_profile is not None, inside / "appArmorProfile"),
        (context.se_linux_options is not None, inside / "seLinuxOptions"),
        (spec.host_users is not None, at / "hostUsers"),
        (bool(spec.host_pid), at / "hostPID"),
        (bool(spec.host_ipc), at / "hostIPC"),
        (context.seccomp_profile is not None, inside / "seccompProfile"),
        (context.fs_group is not None, inside / "fsGroup"),
        (context.fs_group_change_policy is not None, inside / "fsGroupChangePolicy"),
        (bool(context.sysctls), inside / "sysctls"),
        (spec.share_process_namespace is not None, at / "shareProcessNamespace"),
        (context.run_as_user is not None, inside / "runAsUser"),
        (context.run_as_group is not None, inside / "runAsGroup"),
        (context.supplemental_groups is not None, inside / "supplementalGroups"),
        (context.supplemental_groups_policy is not None, inside / "supplementalGroupsPolicy"),
        (context.se_linux_change_policy is not None, inside / "seLinuxChangePolicy"),
    )
    return merge(*(forbidden(place, _NOT_ON_WINDOWS) for is_set, place in fields if is_set))


def _container_on_windows(context: SecurityContext, at: Path) -> Decision:
    fields = (
        (context.app_armor_profile, "appArmorProfile"),
        (context.se_linux_options, "seLinuxOptions"),
        (context.seccomp_profile, "seccompProfile"),
        (context.capabilities, "capabilities"),
        (context.read_only_root_filesystem, "readOnlyRootFilesystem"),
        (context.privileged, "privileged"),
        (context.allow_privilege_escalation, "allowPrivilegeEscalation"),
        (context.proc_mount, "procMount"),
        (context.run_as_user, "runAsUser"),
        (context.run_as_group, "runAsGroup"),
    )
    return merge(*(forbidden(at / name, _NOT_ON_WINDOWS) for value, name in fields if value is not None))
