"""Volume mounts: of a volume that exists, at a place of their own, below the volume's root.

Specification: Kubernetes, ValidateVolumeMounts, validateMountPropagation, validateMountRecursiveReadOnly. The errors
about subPath, propagation and recursive read-only are printed without the mount's index, as the server does. A mount
path need not be absolute: the kubelet puts the slash before it.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, not_found, required, unsupported
from podward.schema.validation.local_path import descending
from podward.schema.validation.raw import pointer, text
from podward.schema.validation.walk import Scope

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def check(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `volumeMounts`, beside its `volumeDevices`."""
    devices = _devices(container) if container.get("volumeDevices") else _NONE
    found: list[Decision] = []
    places: set[str] = set()
    volumes, list_at = scope.mountable, Place(at, "volumeMounts")
    for index, mount in enumerate(objects(container, "volumeMounts")):
        name, path = text(mount, "name"), text(mount, "mountPath")
        if not name:
            found.append(required(list_at / index / "name"))
        if name not in volumes:
            found.append(not_found(list_at / index / "name", name))
        if not path:
            found.append(required(list_at / index / "mountPath"))
        if path in places:
            found.append(invalid(list_at / index / "mountPath", path, "must be unique"))
        places.add(path)
        if devices:
            found.append(_beside(devices, name, path, list_at / index))
        if not _OF_PARTS.isdisjoint(mount):
            found += [_sub_paths(mount, list_at, index), _propagation(mount, container, list_at / "mountPropagation")]
            found.append(_recursive(mount, list_at / "recursiveReadOnly"))
    return merge(*found) if found else NOTHING


_NONE: dict[str, str] = {}
_OF_PARTS = frozenset(("subPath", "subPathExpr", "mountPropagation", "recursiveReadOnly"))


def _devices(container: JsonObject) -> dict[str, str]:
    """The paths of the container's block devices, by their names."""
    return {text(device, "name"): text(device, "devicePath") for device in objects(container, "volumeDevices")}


def _beside(devices: dict[str, str], name: str, path: str, at: Place) -> Decision:
    found: list[Decision] = []
    if name in devices:
        found.append(invalid(at / "name", name, "must not already exist in volumeDevices"))
    if path in devices.values():
        found.append(invalid(at / "mountPath", path, "must not already exist as a path in volumeDevices"))
    return merge(*found)


def _sub_paths(mount: JsonObject, list_at: Place, index: int) -> Decision:
    path, expression = text(mount, "subPath"), text(mount, "subPathExpr")
    found = descending(path, list_at / "subPath") if path else NOTHING
    if not expression:
        return found
    if path:
        detail = "subPathExpr and subPath are mutually exclusive"
        found += invalid(list_at / index / "subPathExpr", expression, detail)
    return found + descending(expression, list_at / "subPathExpr")


def _propagation(mount: JsonObject, container: JsonObject, at: Place) -> Decision:
    mode = pointer(mount, "mountPropagation")
    if mode is None:
        return NOTHING
    if mode not in _PROPAGATION:
        return unsupported(at, mode, _PROPAGATION)
    if mode == "Bidirectional" and not member(container, "securityContext").get("privileged"):
        return forbidden(at, "Bidirectional mount propagation is available only to privileged containers")
    return NOTHING


def _recursive(mount: JsonObject, at: Place) -> Decision:
    mode = pointer(mount, "recursiveReadOnly")
    if mode is None:
        return NOTHING
    if mode not in _RECURSIVE:
        return unsupported(at, mode, _RECURSIVE)
    if mode == "Disabled":
        return NOTHING
    found = NOTHING if mount.get("readOnly") else forbidden(at, "may only be specified when readOnly is true")
    if pointer(mount, "mountPropagation") not in {None, "None"}:
        found += forbidden(at, "may only be specified when mountPropagation is None or not specified")
    return found
