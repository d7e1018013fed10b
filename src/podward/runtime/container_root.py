"""A container's root with the volumes of its image, below a directory of its own: for `run` and the CRI service alike.

DIRECTORY/rootfs           the root, an overlay with its `upper` and `work`
image-volumes/N/rootfs   the volumes of the image
"""

from __future__ import annotations

import os

from msgspec import Struct

from podward.api.cri import ContainerConfig, IDMapping
from podward.api.image import Image
from podward.api.oci import Mount, User
from podward.policy.runtime.image_volumes import find
from podward.runtime import mount_namespace, rootfs, unsafe_places

IMAGE_VOLUMES = "image-volumes"


class ContainerRoot(Struct, frozen=True):
    """What a root is made of.

    `image_root` has the image's files; `user` is the one of the container's process; `runtime_defaults` names the
    runtime that is imitated. With a `mapping`, `userns` is the pinned user namespace, and `exposed` the directory above
    `directory` that it reaches.
    """

    directory: str
    image_root: str
    image: Image
    config: ContainerConfig
    user: User
    runtime_defaults: str
    mapping: IDMapping | None = None
    userns: str = ""
    exposed: str = ""

    def make(self) -> None:
        """Mount it. Raises RefusedError for a VOLUME that can't be made, NodeError where this machine can't."""
        rootfs.mount(self.image_root, self.directory, self.mapping, self.userns)
        if self.image.config.volumes:
            self._make_volumes()

    def _make_volumes(self) -> None:
        from podward.runtime import image_volumes  # few images have any, and start-up counts

        wanted, volumes, mapping = find(self.image, self.config), f"{self.directory}/{IMAGE_VOLUMES}", self.mapping
        mounted = tuple(row[0] for row in wanted.mounts(self.runtime_defaults, volumes))
        places = tuple(mount.destination for mount in mounted)
        image_volumes.mount(self.image_root, places, volumes, mapping, self.userns)
        first = 0
        if mapping is not None:
            first = mapping.host_id
            for mount in mounted:
                mount_namespace.open_way(self.exposed, mount.source)
        owner = (first + self.user.uid, first + self.user.gid)
        image_volumes.make_directories(f"{self.directory}/rootfs", wanted.directories(self.runtime_defaults), owner)


def unsafe_place(directory: str, mounts: tuple[Mount, ...]) -> str:
    """What the root below `directory` would lead the OCI runtime into, with these mounts of its spec; empty if nothing.

    See `podward.runtime.unsafe_places`.
    """
    places = tuple((mount.destination, mount.source if os.path.isabs(mount.source) else "") for mount in mounts)
    return unsafe_places.fault(f"{directory}/rootfs", places)


def unmount(directory: str) -> None:
    """Unmount the root and the volumes; what is not mounted is fine."""
    volumes = f"{directory}/{IMAGE_VOLUMES}"
    for name in os.listdir(volumes) if os.path.isdir(volumes) else ():
        rootfs.unmount(f"{volumes}/{name}")
    rootfs.unmount(directory)
