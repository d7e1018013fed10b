"""The security contexts of containers and of the Pod, rule by rule in the API server's order."""

from __future__ import annotations

from podward.api.core import PodSecurityContext, PodSpec, Profile, SecurityContext
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation import (
    apparmor,
    escalation,
    ids,
    policies,
    proc_mount,
    seccomp,
    sysctls,
    windows_options,
)
from podward.schema.validation.field import forbidden, invalid

_PLAIN_PROC = (None, "Default")
_PLAIN_PROFILES = ("RuntimeDefault", "Unconfined")


def of_container(context: SecurityContext | None, at: Path, *, host_users: bool, allow_privileged: bool) -> Decision:
    """A container's `securityContext`; `allow_privileged` is the API server's switch of that name."""
    if context is None:
        return Decision()
    refused = context.privileged and not allow_privileged
    return merge(
        forbidden(at / "privileged", "disallowed by cluster policy") if refused else Decision(),
        ids.check(context.run_as_user, at / "runAsUser"),
        ids.check(context.run_as_group, at / "runAsGroup"),
        proc_mount.check(context.proc_mount, at / "procMount", host_users=host_users),
        seccomp.check(context.seccomp_profile, at / "seccompProfile"),
        escalation.check(context, at),
        windows_options.check(context.windows_options, at / "windowsOptions"),
        apparmor.check(context.app_armor_profile, at / "appArmorProfile"),
    )


def of_pod(spec: PodSpec, at: Path) -> Decision:
    """The Pod's `securityContext`, and what is shared with the host."""
    context = spec.security_context
    if context is None or (_pod_surely_sound(context) and not (spec.share_process_namespace and spec.host_pid)):
        return Decision()
    found = [
        ids.check(context.fs_group, at / "fsGroup"),
        ids.check(context.run_as_user, at / "runAsUser"),
        ids.check(context.run_as_group, at / "runAsGroup"),
    ]
    for index, group in enumerate(context.supplemental_groups or ()):
        found.append(ids.check(group, at / "supplementalGroups" / index))
    if spec.share_process_namespace and spec.host_pid:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        found.append(invalid(at / "shareProcessNamespace", True, detail))
    found += [
        sysctls.check(context, spec, at / "sysctls"),
        policies.fs_group_change(context, at),
        seccomp.check(context.seccomp_profile, at / "seccompProfile"),
        windows_options.check(context.windows_options, at / "windowsOptions"),
        apparmor.check(context.app_armor_profile, at / "appArmorProfile"),
        policies.group_policies(context, at),
    ]
    return merge(*found)


def surely_sound(context: SecurityContext) -> bool:
    """Whether nothing can be said against the context, whatever holds for its Pod: most are like that."""
    added = context.capabilities.add if context.capabilities else None
    return (
        not context.privileged
        and not (added and context.allow_privilege_escalation is False)
        and context.proc_mount in _PLAIN_PROC
        and context.windows_options is None
        and context.app_armor_profile is None
        and _is_plain(context.seccomp_profile)
        and _is_id(context.run_as_user)
        and _is_id(context.run_as_group)
    )


def _pod_surely_sound(context: PodSecurityContext) -> bool:
    return (
        context.fs_group_change_policy is None
        and context.supplemental_groups_policy is None
        and context.se_linux_change_policy is None
        and context.windows_options is None
        and context.app_armor_profile is None
        and not context.sysctls
        and _are_ids(context.supplemental_groups)
        and _is_plain(context.seccomp_profile)
        and _is_id(context.fs_group)
        and _is_id(context.run_as_user)
        and _is_id(context.run_as_group)
    )


def _is_plain(profile: Profile | None) -> bool:
    return profile is None or (profile.type in _PLAIN_PROFILES and profile.localhost_profile is None)


def _are_ids(numbers: tuple[int, ...] | None) -> bool:
    return not numbers or 0 <= min(numbers) <= max(numbers) <= ids.LARGEST


def _is_id(number: int | None) -> bool:
    return number is None or 0 <= number <= ids.LARGEST
