"""Volume mounts: of a volume that exists, at a place of their own, below the volume's root.

Specification: Kubernetes, ValidateVolumeMounts, validateMountPropagation, validateMountRecursiveReadOnly. The
errors about subPath, propagation and recursive read-only are printed without the mount's index, as the server does.
A mount path need not be absolute: the kubelet puts the slash before it.
"""

from __future__ import annotations

from collections.abc import Collection

from podward.api.core import Container, VolumeMount
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import forbidden, invalid, not_found, required, unsupported
from podward.schema.validation.local_path import descending

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def check(container: Container, volumes: Collection[str], devices: dict[str, str], at: Path) -> Decision:
    """A container's `volumeMounts`; `volumes` are the names of the Pod's, `devices` paths by the devices' names."""
    found: list[Decision] = []
    places: set[str] = set()
    occupied = frozenset(devices.values())
    for index, mount in enumerate(container.volume_mounts or ()):
        if not devices and mount.mount_path not in places and _surely_sound(mount, volumes):
            places.add(mount.mount_path)
            continue
        place = at / index
        if not mount.name:
            found.append(required(place / "name"))
        if mount.name not in volumes:
            found.append(not_found(place / "name", mount.name))
        if not mount.mount_path:
            found.append(required(place / "mountPath"))
        if mount.mount_path in places:
            found.append(invalid(place / "mountPath", mount.mount_path, "must be unique"))
        places.add(mount.mount_path)
        if mount.name in devices:
            found.append(invalid(place / "name", mount.name, "must not already exist in volumeDevices"))
        if mount.mount_path in occupied:
            detail = "must not already exist as a path in volumeDevices"
            found.append(invalid(place / "mountPath", mount.mount_path, detail))
        found += [_sub_paths(mount, place, at), _propagation(mount, container, at / "mountPropagation")]
        found.append(_recursive(mount, at / "recursiveReadOnly"))
    return merge(*found) if found else Decision()


def _surely_sound(mount: VolumeMount, volumes: Collection[str]) -> bool:
    """Whether the mount is of a whole volume that exists, and so plain that nothing can be said against it."""
    return bool(
        mount.name
        and mount.name in volumes
        and mount.mount_path
        and not mount.sub_path
        and not mount.sub_path_expr
        and mount.mount_propagation is None
        and mount.recursive_read_only is None
    )


def _sub_paths(mount: VolumeMount, place: Path, at: Path) -> Decision:
    found = descending(mount.sub_path, at / "subPath") if mount.sub_path else Decision()
    if not mount.sub_path_expr:
        return found
    if mount.sub_path:
        detail = "subPathExpr and subPath are mutually exclusive"
        found += invalid(place / "subPathExpr", mount.sub_path_expr, detail)
    return found + descending(mount.sub_path_expr, at / "subPathExpr")


def _propagation(mount: VolumeMount, container: Container, at: Path) -> Decision:
    mode = mount.mount_propagation
    if mode is None:
        return Decision()
    if mode not in _PROPAGATION:
        return unsupported(at, mode, _PROPAGATION)
    privileged = container.security_context is not None and container.security_context.privileged
    if mode == "Bidirectional" and not privileged:
        return forbidden(at, "Bidirectional mount propagation is available only to privileged containers")
    return Decision()


def _recursive(mount: VolumeMount, at: Path) -> Decision:
    mode = mount.recursive_read_only
    if mode is None:
        return Decision()
    if mode not in _RECURSIVE:
        return unsupported(at, mode, _RECURSIVE)
    if mode == "Disabled":
        return Decision()
    found = Decision() if mount.read_only else forbidden(at, "may only be specified when readOnly is true")
    if mount.mount_propagation not in {None, "None"}:
        found += forbidden(at, "may only be specified when mountPropagation is None or not specified")
    return found
