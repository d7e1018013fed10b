"""The answer of `podward batch effective`: what the kubelet computes for a container and for its Pod's sandbox."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.core import SecurityContext
from podward.api.cri import LinuxContainerSecurityContext, LinuxSandboxSecurityContext
from podward.api.effective import ImageUser
from podward.decision import Decision


class SysctlVerdict(Struct, frozen=True):
    """Whether the kubelet admits the Pod's sysctls, and why not."""

    admit: bool
    reason: str = ""
    message: str = ""


class EffectiveAnswer(Struct, frozen=True, rename="camel"):
    """One line of the answer; the names of its fields are those of the recorded cases."""

    image_user: ImageUser
    effective: msgspec.Raw
    run_as_non_root_error: str | None
    linux: LinuxContainerSecurityContext | None
    linux_error: str | None
    sandbox: LinuxSandboxSecurityContext | None
    sandbox_error: str | None
    sysctls: dict[str, str] | None
    sysctl_admit: SysctlVerdict
    app_armor_admit_error: str | None


def first_refusal(decision: Decision) -> str | None:
    """The reason of the first violation, as a Go function returns only its first error."""
    return decision.violations[0].reason if decision.violations else None


def sysctl_verdict(decision: Decision, reason: str) -> SysctlVerdict:
    """The kubelet's answer for the Decision of the sysctl rule."""
    message = first_refusal(decision)
    return SysctlVerdict(admit=True) if message is None else SysctlVerdict(False, reason, message)


def security_context(context: SecurityContext) -> msgspec.Raw:
    """The merged context as Go encodes it: empty values are left out, except a profile's `type`."""
    tree = msgspec.to_builtins(context)
    for name in ("capabilities", "seLinuxOptions"):
        if name in tree:
            tree[name] = {k: v for k, v in tree[name].items() if v not in ([], (), "")}
    for name in ("seccompProfile", "appArmorProfile"):
        if name in tree:
            tree[name].setdefault("type", "")
    return msgspec.Raw(msgspec.json.encode(tree))
