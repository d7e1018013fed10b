"""Merging the Pod's security context with the container's.

Specification (kubelet, `DetermineEffectiveSecurityContext`, in our words):
- A Pod without a security context: the container's object is the result, unchanged.
- Otherwise the Pod supplies SELinux options, Windows options, runAsUser, runAsGroup and runAsNonRoot, and nothing else.
- The container's field, where set, replaces the Pod's whole: an empty `seLinuxOptions: {}` wipes the Pod's.
- Windows options merge per field, but the two gMSA fields travel together.
- Seccomp and AppArmor are not merged here: they have rules of their own (`seccomp.py`, `apparmor.py`).
"""

from __future__ import annotations

from podward.api.core import PodSecurityContext, SecurityContext, WindowsOptions
from podward.api.effective import Place
from podward.decision import Assignment, Decision, Origin, Source, Value
from podward.path import Path, path

ROOT = path("securityContext")

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


def decide(pod: PodSecurityContext | None, container: SecurityContext | None, place: Place) -> Decision:
    """The merged security context, assigned below `securityContext`."""
    own = Source(Origin.MANIFEST, place.document, place.container / "securityContext")
    if pod is None:
        return _copy(container, _WHEN_ALONE, own, "written on the container")
    inherited = Source(Origin.MANIFEST, place.document, place.pod / "spec" / "securityContext")
    decided = _copy(pod, tuple(f for f in _FROM_POD if not _has(container, f[1])), inherited, "inherited from the Pod")
    decided += _copy(container, _FROM_CONTAINER, own, "written on the container")
    return decided + _windows(pod.windows_options, container.windows_options if container else None, inherited, own)


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


def _windows(pod: WindowsOptions | None, own: WindowsOptions | None, above: Source, here: Source) -> Decision:
    if pod is None and own is None:
        return Decision()
    base, top = pod or WindowsOptions(), own or WindowsOptions()
    from_own = top.gmsa_credential_spec_name is not None or top.gmsa_credential_spec is not None
    gmsa = top if from_own else base
    rows: tuple[tuple[str, Value, bool], ...] = (
        ("gmsaCredentialSpecName", gmsa.gmsa_credential_spec_name, from_own),
        ("gmsaCredentialSpec", gmsa.gmsa_credential_spec, from_own),
        _either("runAsUserName", top.run_as_user_name, base.run_as_user_name),
        _either("hostProcess", top.host_process, base.host_process),
    )
    place = ROOT / "windowsOptions"
    empty = Assignment(place, WindowsOptions(), "merged per field", _below(here if own else above, "windowsOptions"))
    options = WindowsOptions(*(value for _, value, _ in rows))  # type: ignore[arg-type]  # rows are in field order
    sources = [here if mine else above for _, value, mine in rows if value is not None]
    source = _below(sources[-1], "windowsOptions") if sources else empty.source
    return Decision((Assignment(place, options, "merged per field", source),))


def _either(name: str, own: Value, inherited: Value) -> tuple[str, Value, bool]:
    return (name, own, True) if own is not None else (name, inherited, False)


def _below(source: Source, name: str) -> Source:
    return Source(source.origin, source.name, (source.path or Path()) / name)
