"""Block devices of a container.

Specification: Kubernetes, ValidateVolumeDevices: of a claim's volume, each name and path once, and none that a
mount has.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import NOTHING, Place, invalid, not_found, required
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope


def check(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `volumeDevices`."""
    mounts = objects(container, "volumeMounts")
    mounted = {text(mount, "name") for mount in mounts}
    occupied = set({text(mount, "name"): text(mount, "mountPath") for mount in mounts}.values())
    names: set[str] = set()
    paths: set[str] = set()
    found: list[Decision] = []
    for index, device in enumerate(objects(container, "volumeDevices")):
        name, path, place = text(device, "name"), text(device, "devicePath"), at / "volumeDevices" / index
        found += [_name(name, names, scope.mountable, place / "name"), _path(path, paths, place / "devicePath")]
        if name in mounted:
            found.append(invalid(place / "name", name, "must not already exist in volumeMounts"))
        if path in occupied:
            found.append(invalid(place / "devicePath", path, "must not already exist as a path in volumeMounts"))
        if name:
            names.add(name)
    return merge(*found)


def _name(name: str, names: set[str], volumes: dict[str, JsonObject], at: Place) -> Decision:
    found = NOTHING if name else required(at)
    if name in names:
        found += invalid(at, name, "must be unique")
    volume = volumes.get(name)
    if volume is None:
        return found + not_found(at, name)
    if volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        detail = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        found += invalid(at, name, detail)
    return found


def _path(path: str, paths: set[str], at: Place) -> Decision:
    found = NOTHING if path else required(at)
    if path in paths:
        found += invalid(at, path, "must be unique")
    if ".." in path.split("/"):
        return found + invalid(at, path, "can not contain backsteps ('..')")
    paths.add(path)
    return found
