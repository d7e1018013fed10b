"""A user namespace does not go with the host's other namespaces.

Specification: Kubernetes, validateHostUsers: with `hostUsers: false`, hostNetwork, hostPID, hostIPC and block
devices are forbidden. Two of the paths are printed with the names of the server's internal fields.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import container_objects
from podward.path import Path
from podward.schema.validation.field import forbidden

_DETAIL = "when `hostUsers` is false"


def may_have_own(spec: PodSpec) -> bool:
    """Whether a Pod that shares the host's users could have `hostUsers: false` instead, block devices aside."""
    windows = spec.os is not None and spec.os.name == "windows"
    return spec.host_users is not False and not (spec.host_network or spec.host_pid or spec.host_ipc or windows)


def check(spec: PodSpec, raw: JsonObject, at: Path) -> Decision:
    """The Pod's spec, typed and raw."""
    if spec.host_users is not False:
        return Decision()
    found: list[Decision] = []
    for shared, name in ((spec.host_network, "hostNetwork"), (spec.host_pid, "HostPID"), (spec.host_ipc, "HostIPC")):
        if shared:
            found.append(forbidden(at / name, _DETAIL))
    for place, container in container_objects(raw, at):
        if container.get("volumeDevices"):
            found.append(forbidden(place / "volumeDevices", _DETAIL))
    return merge(*found)
