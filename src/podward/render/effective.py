"""The answer of `podward batch effective`: the kubelet's view of one container and of its Pod's sandbox as JSON."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.core import SecurityContext
from podward.api.cri import LinuxContainerSecurityContext, LinuxSandboxSecurityContext
from podward.api.effective import ImageUser
from podward.decision import Decision


class SysctlVerdict(Struct, frozen=True):
    """The kubelet's admission answer about sysctls."""

    admit: bool
    reason: str = ""
    message: str = ""


class EffectiveAnswer(Struct, frozen=True, rename="camel"):
    """One answer line; field names are those of the recorded cases."""

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
    """The sentence of the first violation: a Go function returns its first error."""
    return decision.violations[0].reason if decision.violations else None


def sysctl_verdict(decision: Decision, reason: str) -> SysctlVerdict:
    """Admission's answer for the sysctl rule's Decision."""
    message = first_refusal(decision)
    return SysctlVerdict(admit=True) if message is None else SysctlVerdict(False, reason, message)


def security_context(context: SecurityContext) -> msgspec.Raw:
    """The merged context as Go encodes it: what is empty is left out, but a profile's `type` never is."""
    tree = msgspec.to_builtins(context)
    for name in ("capabilities", "seLinuxOptions"):
        if name in tree:
            tree[name] = {k: v for k, v in tree[name].items() if v not in ([], (), "")}
    for name in ("seccompProfile", "appArmorProfile"):
        if name in tree:
            tree[name].setdefault("type", "")
    return msgspec.Raw(msgspec.json.encode(tree))
