"""Security objects as JSON of the API server's internal Go types, which some field errors quote.

The internal types have no JSON names: fields print in declaration order under their Go names, with every null.
"""

from __future__ import annotations

from msgspec.json import encode

from podward.api.core import Capabilities, Profile, SecurityContext, SELinuxOptions, WindowsOptions
from podward.api.json_value import Json

_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def profile_text(profile: Profile) -> str:
    """A SeccompProfile or AppArmorProfile."""
    return go_json(_profile(profile))


def security_context_text(context: SecurityContext) -> str:
    """A container's SecurityContext."""
    return go_json(
        {
            "Capabilities": _capabilities(context.capabilities),
            "Privileged": context.privileged,
            "SELinuxOptions": _selinux(context.se_linux_options),
            "WindowsOptions": _windows(context.windows_options),
            "RunAsUser": context.run_as_user,
            "RunAsGroup": context.run_as_group,
            "RunAsNonRoot": context.run_as_non_root,
            "ReadOnlyRootFilesystem": context.read_only_root_filesystem,
            "AllowPrivilegeEscalation": context.allow_privilege_escalation,
            "ProcMount": context.proc_mount,
            "SeccompProfile": _profile(context.seccomp_profile),
            "AppArmorProfile": _profile(context.app_armor_profile),
        }
    )


def go_json(value: Json) -> str:
    """JSON as Go's encoding/json writes it: `<`, `>`, `&` and Unicode's line separators are escaped."""
    return encode(value).decode().translate(_ESCAPES)


def _profile(profile: Profile | None) -> Json:
    if profile is None:
        return None
    return {"Type": profile.type or "", "LocalhostProfile": profile.localhost_profile}


def _capabilities(capabilities: Capabilities | None) -> Json:
    if capabilities is None:
        return None
    return {
        "Add": None if capabilities.add is None else list(capabilities.add),
        "Drop": None if capabilities.drop is None else list(capabilities.drop),
    }


def _selinux(options: SELinuxOptions | None) -> Json:
    if options is None:
        return None
    names = {"User": options.user, "Role": options.role, "Type": options.type, "Level": options.level}
    return {name: value or "" for name, value in names.items()}


def _windows(options: WindowsOptions | None) -> Json:
    if options is None:
        return None
    return {
        "GMSACredentialSpecName": options.gmsa_credential_spec_name,
        "GMSACredentialSpec": options.gmsa_credential_spec,
        "RunAsUserName": options.run_as_user_name,
        "HostProcess": options.host_process,
    }
