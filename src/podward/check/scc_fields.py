"""The field of an SCC that decides a field of a Pod, and its value in the words of the SCC."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from podward.api.scc import SecurityContextConstraints
from podward.check.policy_set import PolicySet
from podward.path import Path, path

_Words: TypeAlias = Callable[[SecurityContextConstraints], str]
_SCC_FIELDS: dict[str, tuple[Path, _Words]] = {
    "runAsUser": (path("runAsUser", "type"), lambda scc: f"runAsUser {scc.run_as_user.type}"),
    "runAsNonRoot": (path("runAsUser", "type"), lambda scc: f"runAsUser {scc.run_as_user.type}"),
    "fsGroup": (path("fsGroup", "type"), lambda scc: f"fsGroup {scc.fs_group.type}"),
    "supplementalGroups": (
        path("supplementalGroups", "type"),
        lambda scc: f"supplementalGroups {scc.supplemental_groups.type}",
    ),
    "seLinuxOptions": (path("seLinuxContext", "type"), lambda scc: f"seLinuxContext {scc.se_linux_context.type}"),
    "seccompProfile": (path("seccompProfiles"), lambda scc: f"seccompProfiles {_listed(scc.seccomp_profiles)}"),
    "capabilities.add": (
        path("defaultAddCapabilities"),
        lambda scc: f"defaultAddCapabilities {_listed(scc.default_add_capabilities)}",
    ),
    "capabilities.drop": (
        path("requiredDropCapabilities"),
        lambda scc: f"requiredDropCapabilities {_listed(scc.required_drop_capabilities)}",
    ),
    "hostUsers": (path("userNamespaceLevel"), lambda scc: f"userNamespaceLevel {scc.user_namespace_level}"),
    "readOnlyRootFilesystem": (path("readOnlyRootFilesystem"), lambda _: "readOnlyRootFilesystem false"),
    "allowPrivilegeEscalation": (
        path("allowPrivilegeEscalation"),
        lambda scc: f"allowPrivilegeEscalation {str(scc.allow_privilege_escalation is not False).lower()}",
    ),
}
"""For each field of a Pod's security contexts: the field of an SCC that decides it, and that field's value as text."""


def _listed(names: tuple[str, ...] | None) -> str:
    return f"[{', '.join(names or ())}]"


def scc_field(policies: PolicySet, name: str, field: str) -> tuple[str, Path]:
    """What the SCC of this name says about a field of security contexts, and the path of the SCC's field."""
    every = policies.scc.policies.ranked if policies.scc is not None else ()
    scc = next((entry.scc for entry in every if entry.rank.name == name), None)
    if scc is None:
        return "no SCC", Path()
    known = _SCC_FIELDS.get(field)
    if known is None:
        return f"scc {name}", Path()
    place, words = known
    return f"scc {name} {words(scc)}", place
