"""Fields of the other operating system, and of the host where a Pod has users of its own.

Specification: Kubernetes, validateOS, validateLinux, validateWindows, validateHostUsers. `spec.os` must name linux or
windows. A Linux Pod has no windowsOptions, a Windows Pod none of the fields listed here. Only fields that say so are
looked at: without `os` nothing is refused. An empty list of groups counts as set. With `hostUsers: false`, hostNetwork,
hostPID, hostIPC and block devices are forbidden; two of these paths are printed with the names of the server's internal
fields.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects, member
from podward.schema.validation.field import NOTHING, At, Place, forbidden, required, unsupported
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_NOT_ON_LINUX = "windows options cannot be set for a linux pod"
_NOT_ON_WINDOWS = "cannot be set for a windows pod"
_OF_PODS = (
    "appArmorProfile", "seLinuxOptions", "hostUsers", "hostPID", "hostIPC", "seccompProfile", "fsGroup",
    "fsGroupChangePolicy", "sysctls", "shareProcessNamespace", "runAsUser", "runAsGroup", "supplementalGroups",
    "supplementalGroupsPolicy", "seLinuxChangePolicy",
)  # fmt: skip
_OF_SPECS = frozenset(("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"))
_UNSET = frozenset(("hostPID", "hostIPC", "sysctls"))
"""Of these, false and empty are as good as absent."""
_OF_CONTAINERS = (
    "appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged",
    "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup",
)  # fmt: skip
_NOT_WITH_OWN_USERS = (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC"))


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The Pod's `os`, and what it forbids."""
    name, context = text(member(spec, "os"), "name"), member(spec, "securityContext")
    if not name:
        return required(at / "os" / "name")
    if name not in {"linux", "windows"}:
        return unsupported(at / "os", name, ("linux", "windows"))
    containers = [(place / "securityContext", own) for place, own in container_objects(scope.raw, at.path)]
    contexts: list[tuple[At, JsonObject]] = [
        (place, member(container, "securityContext")) for place, container in containers
    ]
    if name == "linux":
        every: list[tuple[At, JsonObject]] = [(at / "securityContext", context), *contexts]
        return merge(*(_set(own, ("windowsOptions",), place, _NOT_ON_LINUX) for place, own in every))
    found: list[Decision] = []
    for field in _OF_PODS:
        holder, place = (spec, at) if field in _OF_SPECS else (context, at / "securityContext")
        value = holder.get(field)
        if value if field in _UNSET else value is not None:
            found.append(forbidden(place / field, _NOT_ON_WINDOWS))
    return merge(*found, *(_set(own, _OF_CONTAINERS, place, _NOT_ON_WINDOWS) for place, own in contexts))


def _set(context: JsonObject, names: Iterable[str], at: At, detail: str) -> Decision:
    return merge(*(forbidden(at / name, detail) for name in names if context.get(name) is not None))


def host_users(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """What does not go with a user namespace."""
    if spec.get("hostUsers") is not False:
        return NOTHING
    detail = "when `hostUsers` is false"
    found = [forbidden(at / printed, detail) for name, printed in _NOT_WITH_OWN_USERS if spec.get(name)]
    for place, container in container_objects(scope.raw, at.path):
        if container.get("volumeDevices"):
            found.append(forbidden(place / "volumeDevices", detail))
    return merge(*found)
