"""The AppArmor profile.

Specification, in our words (containerd 2.2 `sputil.GenerateApparmorSpecOpts`, CRI-O 1.33 `specSetApparmorProfile`,
Docker 29 `WithApparmor` and cri-dockerd 0.3): without AppArmor on the machine nobody has a profile, and one of the
node can't be asked for. With it, no profile at all means the runtime's default. A privileged container has no default
profile (Docker: `unconfined`); a profile of the node it gets from containerd and Docker all the same, from CRI-O it
does not. The deprecated string is read where the message has no structured profile; cri-dockerd reads nothing else,
and the kubelet sends both.
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
WITH_PRIVILEGE = {"containerd": "", "cri-o": "", "docker": "unconfined"}


def decide(context: LinuxContainerSecurityContext, lsm: str, runtime: RuntimeProfile) -> Decision:
    """`process.apparmorProfile`; nothing on a machine without AppArmor, a violation for a profile of the node there."""
    asked, source = _asked(context, runtime)
    if lsm != "apparmor":
        if asked is None or asked.profile_type != "Localhost":
            return Decision()
        return refuse(PLACE, asked.localhost_ref, NOT_ENABLED, source)
    kind = "RuntimeDefault" if asked is None else asked.profile_type
    if context.privileged and (kind == "RuntimeDefault" or runtime.name == "cri-o"):
        privileged = runtime.of("securityContext", "privileged")
        return assign(PLACE, WITH_PRIVILEGE[runtime.name], "privileged: no default profile", privileged)
    profiles = {
        "RuntimeDefault": (runtime.defaults.apparmor_profile, f"the default profile of {runtime.source.name}"),
        "Unconfined": (UNCONFINED[runtime.name], "Unconfined"),
    }
    if asked is not None and asked.localhost_ref:
        profiles["Localhost"] = (asked.localhost_ref.removeprefix("localhost/"), "a profile of the node")
    if kind not in profiles:
        return refuse(PLACE, kind, f"unknown or empty AppArmor profile: {quote(kind)}", source)
    return assign(PLACE, *profiles[kind], source)


def _asked(context: LinuxContainerSecurityContext, runtime: RuntimeProfile) -> tuple[SecurityProfile | None, Source]:
    if context.apparmor is not None:
        return context.apparmor, runtime.of("securityContext", "apparmor")
    text = context.apparmor_profile
    source = runtime.of("securityContext", "apparmorProfile")
    if not text:
        return None, runtime.source
    if text == "runtime/default":
        return SecurityProfile("RuntimeDefault"), source
    if text == "unconfined":
        return SecurityProfile("Unconfined"), source
    return SecurityProfile("Localhost", text.removeprefix("localhost/")), source
