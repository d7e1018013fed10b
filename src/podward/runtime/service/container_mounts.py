"""What is mounted into a container from elsewhere: host paths and images, as copies that nobody else can change.

Specification (CRI `Mount`, containerd 2.2 `withMounts` and `mutateImageMount`, in our words): a host path that is not
there is made, as a directory of mode 0755; its links are followed, once. What an image shows may be executed; its sub
path is a directory in it, and no link leads outside. With id maps, the owners of files are seen as the Pod's user
namespace maps them. What is refused of a message is for `policy.runtime` to say.

A source is copied (open_tree) in the host's mount namespace, so that what the host mounts meanwhile is there, and a
shared mount's copy stays its peer: what either mounts below it reaches the other. The copy is attached in the mount
namespace of the sandbox's pin, below the bundle, from where the OCI runtime binds it. Read-only mounts that are to be
so at every depth are made so here, whatever the OCI runtime can.
"""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import Self

from msgspec import Struct, structs

from podward.api.cri import IDMapping, ImageSpec, Mount
from podward.api.oci import Mount as OciMount
from podward.errors import NodeError, RefusedError
from podward.policy.runtime.container_requests import IMAGE_VOLUME
from podward.policy.runtime.mount_refusals import MountSource
from podward.runtime import syscalls
from podward.runtime.images.store import ImageStore, StoredImage

_CLONE = syscalls.OPEN_TREE_CLONE | syscalls.AT_EMPTY_PATH
_TREE = _CLONE | syscalls.AT_RECURSIVE
_INSIDE = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_MAGICLINKS
_PRIVATE = "PROPAGATION_PRIVATE"
_TAGS = {"shared": "shared", "master": "slave"}
"""What mountinfo calls a mount, and what that is (proc(5))."""


class _Copy(Struct, frozen=True):
    """The detached copy of a source: how it is to be, and what holds the source itself."""

    tree: int
    directory: bool
    read_only: bool
    mapped: bool
    holder: str
    propagation: str


class Sources:
    """The copies of a container's sources. Make them in the host's mount namespace; leave the context to forget them.

    `asked` are the mounts of the message, with the ids of those that are images.
    """

    def __init__(self, images: ImageStore, mounts: tuple[Mount, ...], mapping: IDMapping | None) -> None:
        self.asked: tuple[Mount, ...] = ()
        self._images = images
        self._mapping = mapping
        self._open = ExitStack()
        self._copies: list[_Copy] = []
        self._mounts = mounts

    def __enter__(self) -> Self:
        try:
            self.asked = tuple(self._take(mount) for mount in self._mounts)
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def facts(self) -> tuple[MountSource, ...]:
        """What is known of each source."""
        return tuple(MountSource("", copy.holder, copy.propagation) for copy in self._copies)

    def attach(self, directory: str, userns: str) -> dict[tuple[str, str], str]:
        """Mount the copies below `directory`, in the mount namespace that we are in now.

        Returns the place of each, by its container path and host path. `userns` is the pinned user namespace.
        """
        if self._copies:
            os.mkdir(directory, 0o700)
        places = {}
        for index, (mount, copy) in enumerate(zip(self.asked, self._copies, strict=True)):
            place = f"{directory}/{index}"
            if copy.directory:
                os.mkdir(place, 0o700)
            else:
                os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            if copy.read_only:
                syscalls.mount_setattr(copy.tree, syscalls.MOUNT_ATTR_RDONLY, recursive=True)
            if copy.mapped:
                _map_ids(copy.tree, userns, mount)
            syscalls.move_mount(copy.tree, place)
            places[mount.container_path, mount.host_path] = place
        return places

    def _take(self, mount: Mount) -> Mount:
        if mount.image is not None:
            return self._take_image(mount, mount.image)
        maps = {*mount.uid_mappings, *mount.gid_mappings}
        if maps and maps != {self._mapping}:
            what = f"the id mappings of the mount at {mount.container_path} are not those of the Pod's user namespace"
            raise RefusedError(what, advice="map the ids of a volume as the Pod's are")
        found = self._keep(_open_host_path(mount.host_path))
        self._copy(mount, found, _TREE, read_only=mount.recursive_read_only, mapped=bool(maps))
        return mount

    def _take_image(self, mount: Mount, image: ImageSpec) -> Mount:
        stored = self._images.resolve(image.image)
        self._open.callback(self._images.hold(stored).release)
        root = self._keep(os.open(stored.rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        found = self._keep(_open_sub_path(root, mount, stored)) if mount.image_sub_path else root
        self._copy(mount, found, _CLONE, read_only=True, mapped=self._mapping is not None)
        return structs.replace(mount, image=structs.replace(image, image_ref=stored.id))

    def _copy(self, mount: Mount, found: int, flags: int, *, read_only: bool, mapped: bool) -> None:
        try:
            tree = self._keep(syscalls.open_tree(found, "", flags))
        except OSError as error:
            raise NodeError(f"cannot copy the mount for {mount.container_path}: {error.strerror}") from error
        is_directory = stat.S_ISDIR(os.fstat(found).st_mode)
        holder, propagation = ("/", "private") if mount.propagation == _PRIVATE else _holder_of(found)
        self._copies.append(_Copy(tree, is_directory, read_only, mapped, holder, propagation))

    def _keep(self, descriptor: int) -> int:
        self._open.callback(os.close, descriptor)
        return descriptor


def rewritten(mounts: tuple[OciMount, ...], places: dict[tuple[str, str], str]) -> tuple[OciMount, ...]:
    """The mounts of a runtime spec with the copies in place of the message's host paths.

    Those that are read-only at every depth are so already.
    """
    return tuple(_rewritten(mount, places.get((mount.destination, mount.source))) for mount in mounts)


def _rewritten(mount: OciMount, place: str | None) -> OciMount:
    if place is None:
        return mount
    options = tuple("ro" if option == "rro" else option for option in mount.options)
    return structs.replace(mount, source=place, options=options)


def _open_host_path(path: str) -> int:
    flags = os.O_PATH | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RefusedError(f"failed to stat {path!r}: {error.strerror}") from error
    try:
        os.makedirs(path, mode=0o755, exist_ok=True)
        return os.open(path, flags)
    except OSError as error:
        raise RefusedError(f"failed to mkdir {path!r}: {error.strerror}") from error


def _open_sub_path(root: int, mount: Mount, stored: StoredImage) -> int:
    try:
        return syscalls.openat2(root, mount.image_sub_path, os.O_PATH | os.O_DIRECTORY, _INSIDE)
    except OSError as error:
        what = f"{IMAGE_VOLUME}: failed to ensure image subpath {mount.image_sub_path!r} in {stored.name}"
        advice = "name a directory of the image; links must not lead outside"
        raise RefusedError(f"{what}: {error.strerror}", where=mount.container_path, advice=advice) from error


def _holder_of(found: int) -> tuple[str, str]:
    """The mount that holds this descriptor's file: where it is, and whether it is shared, a slave or private."""
    with open(f"/proc/self/fdinfo/{found}", encoding="ascii") as file:
        wanted = next(line.split()[1] for line in file if line.startswith("mnt_id:"))
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.partition(" - ")[0].split(" ")
            if fields[0] == wanted:
                tags = (_TAGS.get(field.partition(":")[0], "") for field in fields[6:])
                return fields[4], next(filter(None, tags), "private")
    return "/", "private"


def _map_ids(tree: int, userns: str, mount: Mount) -> None:
    namespace = os.open(userns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.mount_setattr(tree, syscalls.MOUNT_ATTR_IDMAP, recursive=False, userns=namespace)
    except OSError as error:
        raise NodeError(
            f"cannot map the ids of the volume at {mount.container_path}: {error.strerror}",
            where=mount.host_path,
            advice="its file system must support id-mapped mounts",
        ) from error
    finally:
        os.close(namespace)
