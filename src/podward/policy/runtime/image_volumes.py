"""What a runtime makes of the VOLUMEs that an image declares.

Specification, in our words:
- containerd (2.2 `volumeMounts`, `WithVolumes`) and Docker (29, anonymous volumes): each gets a writable volume of the
  container's own, mounted there whatever the container's root is. It holds a copy of what the image has at that path,
  with owners and modes; where the image has nothing, it is an empty directory of root's, mode 0755. A mount of the CRI
  message at the same path takes its place.
- CRI-O (1.33 `addImageVolumes`, `image_volumes = "mkdir"`, its default): no mount. A directory that the image lacks is
  made in the container's root, mode 0755, with the user and group of the container's process; its parents too.
"""

from __future__ import annotations

from posixpath import normpath

from msgspec import Struct

from podward.api.cri import ContainerConfig
from podward.api.image import Image, UnknownImage
from podward.api.oci import Mount
from podward.decision import Origin, Source
from podward.path import path

DIRECTORY_MODE = 0o755
_MAKES_DIRECTORIES = "cri-o"
_OPTIONS = {"containerd": ("rbind", "rprivate", "rw"), "docker": ("rbind",)}


class ImageVolumes(Struct, frozen=True):
    """The VOLUMEs of an image that nothing else is mounted at: `places` in the container, in order."""

    image: str = ""
    places: tuple[str, ...] = ()

    def mounts(self, runtime: str, directory: str) -> list[tuple[Mount, str, Source]]:
        """Their mounts, each with reason and source, if the runtime mounts them; `directory` holds the volumes."""
        rows = []
        for index, place in enumerate(self.places if runtime != _MAKES_DIRECTORIES else ()):
            source = Source(Origin.IMAGE, self.image, path("config", "Volumes"))
            mount = Mount(place, "bind", volume_path(directory, index), _OPTIONS[runtime])
            rows.append((mount, "a VOLUME of the image", source))
        return rows

    def directories(self, runtime: str) -> tuple[str, ...]:
        """The places at which the runtime makes a directory in the container's root, where there is none."""
        return self.places if runtime == _MAKES_DIRECTORIES else ()


def find(image: Image | UnknownImage, config: ContainerConfig) -> ImageVolumes:
    """The image's VOLUMEs that the message has no mount for; none of an image that nobody knows."""
    if isinstance(image, UnknownImage):
        return ImageVolumes(image.name)
    taken = {normpath(mount.container_path) for mount in config.mounts}
    declared = sorted({normpath(f"/{place.lstrip('/')}") for place in image.config.volumes})
    return ImageVolumes(image.name, tuple(place for place in declared if place not in taken))


def volume_path(directory: str, index: int) -> str:
    """Where the content of a volume is, below the directory of the container's volumes."""
    return f"{directory}/{index}/rootfs"
