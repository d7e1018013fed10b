"""The mount points that a container's volumes lack, before there is a container.

Certainly lack: what a container that starts earlier may make is left out, and what nobody knows of here.
"""

from __future__ import annotations

import os
from posixpath import normpath

from msgspec import Struct

from podward.api.core import Container
from podward.api.oci import RuntimeSpec
from podward.policy.kernel.mount_points import MountPoint, held, may_be_made
from podward.runtime.explaining.volumes import DryVolumes
from podward.runtime.mount_points import lacks, places


class MountedContainer(Struct, frozen=True):
    """A container with its mounts.

    `image_root` are the image's unpacked files, empty where they are not here; `earlier` are the containers that start
    before it; `runtime` is the OCI runtime's kind.
    """

    container: Container
    spec: RuntimeSpec
    image_root: str
    earlier: tuple[Container, ...]
    runtime: str


def missing(about: MountedContainer, volumes: DryVolumes) -> tuple[MountPoint, ...]:
    """The mount points in volumes that are not there when the container starts."""
    mounts = about.spec.mounts
    if not about.container.volume_mounts:
        return ()  # nothing of the Pod's holds a mount point
    landed: tuple[str, ...] = ()
    if about.image_root:
        sources = (volumes.on_disk(mount.source) if os.path.isabs(mount.source) else "" for mount in mounts)
        landed = places(about.image_root, tuple(zip((m.destination for m in mounts), sources, strict=True)))
    below = held(mounts, landed)
    return tuple(point for point in below if _is_missing(about, point, volumes))


def _is_missing(about: MountedContainer, point: MountPoint, volumes: DryVolumes) -> bool:
    holder = about.spec.mounts[point.holder]
    asked = next(
        (m for m in about.container.volume_mounts or () if _place(m.mount_path) == _place(holder.destination)), None
    )
    if asked is None or asked.sub_path_expr:
        return False
    if may_be_made(asked.name, about.earlier, about.runtime, readonly=volumes.readonly(asked.name)):
        return False
    there = volumes.on_disk(holder.source)
    return lacks(there, point.inside) if there else volumes.lacks(asked, point.inside)


def _place(destination: str) -> str:
    return normpath("/" + destination.lstrip("/"))
