"""windowsOptions: what a user name and a gMSA look like, and that hostProcess is for all containers or for none.

Specification: Kubernetes, validateWindowsSecurityContextOptions and validateWindowsHostProcessPod. The values are
pointers to the server, which prints them as JSON.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid
from podward.schema.validation.walk import Scope

_LARGEST_SPEC = 64 * 1024
_LONGEST_DOMAIN, _LONGEST_USER, _LONGEST_NETBIOS, _LONGEST_LABEL = 256, 104, 15, 63
_NOT_IN_NETBIOS = frozenset('\\/:*?"<>|')
_NOT_IN_USER = frozenset('"/\\:;|=,+*?<>@[]')


def host_process(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """HostProcess of the Pod and of its containers, together with hostNetwork; the server's switch is for it too."""
    if "windowsOptions" not in scope.noted:
        return NOTHING
    of_pod, containers = _host_process(spec), tuple(container_objects(scope.raw, at.path))
    found: list[Decision] = []
    host_processes = 0
    for place, container in containers:
        own = _host_process(container)
        if own is not None and of_pod is not None and own != of_pod:
            detail = f"pod hostProcess value must be identical if both are specified, was {str(of_pod).lower()}"
            found.append(invalid(place / "securityContext" / "windowsOptions" / "hostProcess", own, detail))
        host_processes += bool(own if own is not None else of_pod)
    if not host_processes:
        return merge(*found)
    if host_processes != len(containers):
        detail = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        found.append(invalid(at, "", detail))
    if not spec.get("hostNetwork"):
        detail = "hostNetwork must be true if pod contains any hostProcess containers"
        found.append(invalid(at / "hostNetwork", False, detail))
    if not scope.allow_privileged:
        found.append(forbidden(at, "hostProcess containers are disallowed by cluster policy"))
    return merge(*found)


def _host_process(holder: JsonObject) -> bool | None:
    """What the security context of a Pod or a container says."""
    context = holder.get("securityContext")
    options = context.get("windowsOptions") if isinstance(context, dict) else None
    said = options.get("hostProcess") if isinstance(options, dict) else None
    return said if isinstance(said, bool) else None


def spec_faults(spec: str) -> tuple[str, ...]:
    """What keeps `spec` from being a gMSA credential spec."""
    if not spec:
        return ("gmsaCredentialSpec cannot be an empty string",)
    return ("gmsaCredentialSpec size must be under 64 KiB",) if len(spec.encode()) > _LARGEST_SPEC else ()


def user_name_faults(name: str) -> list[str]:
    """What keeps `name` from being that of a user of Windows, or of a domain."""
    if not name:
        return ["runAsUserName cannot be an empty string"]
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in name):
        return ["runAsUserName cannot contain control characters"]
    domain, backslash, user = name.rpartition("\\")
    if "\\" in domain:
        return ["runAsUserName cannot contain more than one backslash"]
    return (_domain_faults(domain) if backslash else []) + _user_faults(user)


def _domain_faults(domain: str) -> list[str]:
    faults: list[str] = []
    if len(domain.encode()) >= _LONGEST_DOMAIN:
        faults.append(f"runAsUserName's Domain length must be under {_LONGEST_DOMAIN} characters")
    if not (_is_netbios(domain) or all(_is_dns_label(part) for part in domain.split("."))):
        faults.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    return faults


def _is_netbios(domain: str) -> bool:
    return 0 < len(domain) <= _LONGEST_NETBIOS and domain[0] != "." and not _NOT_IN_NETBIOS.intersection(domain)


def _is_dns_label(part: str) -> bool:
    inner = part.replace("-", "a")
    return 0 < len(part) <= _LONGEST_LABEL and inner.isascii() and inner.isalnum() and "-" not in (part[0], part[-1])


def _user_faults(user: str) -> list[str]:
    faults: list[str] = []
    if not user:
        faults.append("runAsUserName's User cannot be empty")
    elif len(user.encode()) > _LONGEST_USER:
        faults.append(f"runAsUserName's User length must not be longer than {_LONGEST_USER} characters")
    if user and not user.strip(". "):
        faults.append("runAsUserName's User cannot contain only periods or spaces")
    if _NOT_IN_USER.intersection(user):
        faults.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return faults
