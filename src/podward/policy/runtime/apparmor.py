"""The AppArmor profile in the spec.

Specification, in our words (containerd 2.2 `sputil.GenerateApparmorSpecOpts`, CRI-O 1.33 `specSetApparmorProfile`,
Docker 29 `WithApparmor` and cri-dockerd 0.3): without AppArmor on the machine no container has a profile, and a
Localhost profile is refused. With AppArmor a container that requests no profile gets the runtime's default. A
privileged container does not get the default profile (Docker: it gets `unconfined`). containerd and Docker apply a
Localhost profile to it, CRI-O does not. A Localhost profile must be loaded. The deprecated string is read if the
message has no structured profile. cri-dockerd reads only the string; the kubelet sends both.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext, SecurityProfile
from podward.api.gotext import quote
from podward.decision import Decision, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("process", "apparmorProfile")
NOT_ENABLED = "Cannot enforce AppArmor: AppArmor is not enabled on the host"
UNCONFINED = {"containerd": "", "cri-o": "unconfined", "docker": "unconfined"}
PRIVILEGED = {"containerd": "", "cri-o": "", "docker": "unconfined"}


def decide(
    context: LinuxContainerSecurityContext, lsm: str, runtime: RuntimeProfile, loaded: frozenset[str] | None = None
) -> Decision:
    """`process.apparmorProfile`; on a machine without AppArmor nothing, or a violation for a Localhost profile.

    `loaded` are the profiles that the kernel has, None where that is not known.
    """
    requested, source = _requested(context, runtime)
    if lsm != "apparmor":
        if requested is None or requested.profile_type != "Localhost":
            return Decision()
        return refuse(PLACE, requested.localhost_ref, NOT_ENABLED, source)
    kind = "RuntimeDefault" if requested is None else requested.profile_type
    if context.privileged and (kind == "RuntimeDefault" or runtime.name == "cri-o"):
        privileged = runtime.source_of("linux", "securityContext", "privileged")
        return assign(PLACE, PRIVILEGED[runtime.name], "privileged: no default profile", privileged)
    profiles = {
        "RuntimeDefault": (runtime.defaults.apparmor_profile, f"the default profile of {runtime.source.name}"),
        "Unconfined": (UNCONFINED[runtime.name], "Unconfined"),
    }
    if requested is not None and requested.localhost_ref:
        name = requested.localhost_ref.removeprefix("localhost/")
        if kind == "Localhost" and loaded is not None and name not in loaded:
            return refuse(PLACE, name, f"apparmor profile not found {name}", source)
        profiles["Localhost"] = (name, "a profile of the node")
    if kind not in profiles:
        return refuse(PLACE, kind, f"unknown or empty AppArmor profile: {quote(kind)}", source)
    return assign(PLACE, *profiles[kind], source)


def _requested(
    context: LinuxContainerSecurityContext, runtime: RuntimeProfile
) -> tuple[SecurityProfile | None, Source]:
    """The profile in the message, from its field or its deprecated string, and the source of that."""
    if context.apparmor is not None:
        return context.apparmor, runtime.source_of("linux", "securityContext", "apparmor")
    text = context.apparmor_profile
    source = runtime.source_of("linux", "securityContext", "apparmorProfile")
    if not text:
        return None, runtime.source
    if text == "runtime/default":
        return SecurityProfile("RuntimeDefault"), source
    if text == "unconfined":
        return SecurityProfile("Unconfined"), source
    return SecurityProfile("Localhost", text.removeprefix("localhost/")), source
