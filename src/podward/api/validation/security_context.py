"""The security contexts of containers and of the Pod, rule by rule in the API server's order (Kubernetes 1.36)."""

from __future__ import annotations

from podward.api.core import PodSpec, SecurityContext
from podward.api.validation import apparmor, escalation, ids, policies, proc_mount, seccomp, sysctls, windows_options
from podward.api.validation.field import forbidden, invalid
from podward.decision import Decision, merge
from podward.path import Path


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
    if context is None:
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
