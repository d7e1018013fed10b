"""Which paths the files of a volume may have, where they are in a container, and the mount points that are made in it.

Specification (Kubernetes, pkg/volume/util atomic_writer.go and nested_volumes.go, in our words):
- The path of a file must not be absolute, have `..`, begin with `..`, or be too long.
- Where other volumes are mounted below a mount of the volume, their mount points are made in it: nobody may write to
  the volume, so that no runtime could make them. What is mounted below one of these is that volume's matter.
"""

from __future__ import annotations

import posixpath

from podward.api.core import Container, Pod, VolumeMount, every_container
from podward.policy.kubelet.volumes import source_of

_LONGEST_PATH, _LONGEST_NAME = 4096, 255
_WITH_MODES = frozenset(("secret", "configMap", "downwardAPI", "projected"))


def path_fault(written: str) -> str:
    """What is wrong with the path of a file; empty where nothing is."""
    steps = written.split("/")
    faults = (
        (not written, 'must not be empty: ""'),
        (written.startswith("/"), f"must be relative path: {written}"),
        (len(written.encode()) > _LONGEST_PATH, f"must be less than or equal to {_LONGEST_PATH} characters"),
        (".." in steps, f"must not contain '..': {written}"),
        (
            any(len(step.encode()) > _LONGEST_NAME for step in steps),
            f"filenames must be less than or equal to {_LONGEST_NAME} characters",
        ),
        (steps[0].startswith(".."), f"must not start with '..': {written}"),
    )
    return next((f"invalid path: {what}" for wrong, what in faults if wrong), "")


def nested_mount_points(pod: Pod, volume: str) -> tuple[str, ...]:
    """The directories to make in the volume, as other volumes are mounted below its mounts."""
    found: dict[str, None] = {}
    for _, _, container in every_container(pod.spec):
        points = sorted((posixpath.normpath(mount.mount_path), mount.name) for mount in container.volume_mounts or ())
        for own in (point for point, name in points if name == volume):
            above: list[str] = []
            for point, _ in points:
                if point.startswith(f"{own}/") and not point.startswith(tuple(above)):
                    above.append(f"{point}/")
                    found[point[len(own) + 1 :]] = None
    return tuple(found)


def mount_holding(container: Container, path: str) -> tuple[VolumeMount, str] | None:
    """The mount of a volume that a path of the container is in, and the path within it; None where it is in none."""
    best: tuple[VolumeMount, str] | None = None
    longest = -1
    for mount in container.volume_mounts or ():
        at = posixpath.normpath(f"/{mount.mount_path.lstrip('/')}")
        inside = path == at or path.startswith(f"{at.rstrip('/')}/")
        if inside and len(at) > longest:
            best, longest = (mount, f"{mount.sub_path or ''}/{path[len(at) :]}"), len(at)
    return best


def executable_cure(pod: Pod, container: Container, path: str) -> str:
    """The change that makes a file of a volume executable for everybody; empty where the manifest gives no modes."""
    held = mount_holding(container, path)
    if held is None:
        return ""
    kinds = (source_of(volume)[1] for volume in pod.spec.volumes or () if volume.name == held[0].name)
    kind = next(kinds, "")
    return f"set `defaultMode: 0555` on the {kind} volume {held[0].name}" if kind in _WITH_MODES else ""
