"""A container's security context: merged with the Pod's, and no_new_privs, which follows from it.

Specification (kubelet, `DetermineEffectiveSecurityContext`, in our words):
- If the Pod has no security context, the result is the container's, unchanged.
- Otherwise the Pod supplies SELinux options, Windows options, runAsUser, runAsGroup and runAsNonRoot, and nothing else.
- A field of the container replaces the Pod's field as a whole: an empty `seLinuxOptions: {}` removes the Pod's.
- Windows options are merged field by field, but the two gMSA fields are taken together.
- Seccomp and AppArmor profiles are not merged here: they have their own rules (`seccomp.py`, `apparmor.py`).

Specification (kubelet, `AddNoNewPrivileges`, in our words): only `allowPrivilegeEscalation: false` sets
no_new_privs. privileged and CAP_SYS_ADMIN do not matter, because validation refuses them together with false.
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, SecurityContext, WindowsOptions
from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, Value, assign
from podward.path import Path, path

ROOT = path("securityContext")
NO_NEW_PRIVS = path("noNewPrivs")
NO_NEW_PRIVS_RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} allowPrivilegeEscalation")

_FROM_POD = (
    ("seLinuxOptions", "se_linux_options"),
    ("runAsUser", "run_as_user"),
    ("runAsGroup", "run_as_group"),
    ("runAsNonRoot", "run_as_non_root"),
)
_FROM_CONTAINER = (
    *_FROM_POD,
    ("capabilities", "capabilities"),
    ("privileged", "privileged"),
    ("readOnlyRootFilesystem", "read_only_root_filesystem"),
    ("allowPrivilegeEscalation", "allow_privilege_escalation"),
    ("procMount", "proc_mount"),
)
_WHEN_ALONE = (
    *_FROM_CONTAINER,
    ("windowsOptions", "windows_options"),
    ("seccompProfile", "seccomp_profile"),
    ("appArmorProfile", "app_armor_profile"),
)


def decide_merge(pod: PodSecurityContext | None, container: SecurityContext | None, place: Place) -> Decision:
    """The merged security context, assigned below `securityContext`."""
    own = Source(Origin.MANIFEST, place.document, place.container / "securityContext")
    if pod is None:
        return _copy(container, _WHEN_ALONE, own, "written on the container")
    inherited = Source(Origin.MANIFEST, place.document, place.pod / "spec" / "securityContext")
    decided = _copy(pod, tuple(f for f in _FROM_POD if not _has(container, f[1])), inherited, "inherited from the Pod")
    decided += _copy(container, _FROM_CONTAINER, own, "written on the container")
    return decided + _windows(pod.windows_options, container.windows_options if container else None, inherited, own)


def decide_no_new_privs(merged: SecurityContext, origin: Decision) -> Decision:
    """`noNewPrivs`; `origin` is the Decision that made `merged`."""
    if merged.allow_privilege_escalation is False:
        found = origin.assignment(ROOT / "allowPrivilegeEscalation")
        source = found.source if found else NO_NEW_PRIVS_RULE
        return assign(NO_NEW_PRIVS, True, "allowPrivilegeEscalation is false", source)
    return assign(NO_NEW_PRIVS, False, "allowPrivilegeEscalation is not false", NO_NEW_PRIVS_RULE)


def _has(container: SecurityContext | None, attribute: str) -> bool:
    return container is not None and getattr(container, attribute) is not None


def _copy(
    context: PodSecurityContext | SecurityContext | None,
    fields: tuple[tuple[str, str], ...],
    source: Source,
    reason: str,
) -> Decision:
    if context is None:
        return Decision()
    return Decision(
        tuple(
            Assignment(ROOT / name, value, reason, _below(source, name))
            for name, attribute in fields
            if (value := getattr(context, attribute)) is not None
        )
    )


def _windows(
    pod: WindowsOptions | None, container: WindowsOptions | None, pod_source: Source, container_source: Source
) -> Decision:
    if pod is None and container is None:
        return Decision()
    base, top = pod or WindowsOptions(), container or WindowsOptions()
    own_gmsa = top.gmsa_credential_spec_name is not None or top.gmsa_credential_spec is not None
    gmsa = top if own_gmsa else base
    rows: tuple[tuple[str, Value, bool], ...] = (
        ("gmsaCredentialSpecName", gmsa.gmsa_credential_spec_name, own_gmsa),
        ("gmsaCredentialSpec", gmsa.gmsa_credential_spec, own_gmsa),
        _either("runAsUserName", top.run_as_user_name, base.run_as_user_name),
        _either("hostProcess", top.host_process, base.host_process),
    )
    place = ROOT / "windowsOptions"
    source = container_source if container else pod_source
    empty = Assignment(place, WindowsOptions(), "merged per field", _below(source, "windowsOptions"))
    options = WindowsOptions(*(value for _, value, _ in rows))  # type: ignore[arg-type]  # rows are in field order
    sources = [container_source if own else pod_source for _, value, own in rows if value is not None]
    source = _below(sources[-1], "windowsOptions") if sources else empty.source
    return Decision((Assignment(place, options, "merged per field", source),))


def _either(name: str, own: Value, inherited: Value) -> tuple[str, Value, bool]:
    """The field's name, its value, and whether that is the container's own."""
    return (name, own, True) if own is not None else (name, inherited, False)


def _below(source: Source, name: str) -> Source:
    return Source(source.origin, source.name, (source.path or Path()) / name)
