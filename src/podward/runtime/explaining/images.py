"""Facts about the images of Pods that are explained, each read once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping

from msgspec import Struct

from podward.api.image import AssumedUser, EntryFile, Image, UnknownImage
from podward.api.reference import parse
from podward.decision import Unknown
from podward.errors import NodeError
from podward.runtime import entry, syscalls
from podward.runtime.images.store import ImageStore, StoredImage

_WORLD_WRITABLE = stat.S_IWOTH | stat.S_IXOTH
_INSIDE = syscalls.RESOLVE_IN_ROOT | syscalls.RESOLVE_NO_MAGICLINKS


class AssumedUsers(Struct, frozen=True):
    """Whom images that are not here are assumed to name as their user.

    `by_image` has complete names of images, `others` is for every other image.
    """

    by_image: Mapping[str, AssumedUser] = {}
    others: AssumedUser | None = None

    def of(self, name: str) -> AssumedUser | None:
        """What is assumed of this image."""
        return self.by_image.get(str(parse(name)), self.others) if self.by_image else self.others


NO_USERS = AssumedUsers()


class ImageFacts:
    """One image: what its config and files say."""

    def __init__(self, image: Image, rootfs: str) -> None:
        self.image = image
        self.root = rootfs
        self._entries: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], EntryFile | None] = {}
        self._writable_tmp: bool | None = None

    def entry(self, word: str, search: str, cwd: str, mounts: tuple[tuple[str, str], ...]) -> EntryFile | None:
        """The entry file, as `runtime.entry.find_entry`; its ids are those of the image."""
        key = (word, search, cwd, mounts)
        if key not in self._entries:
            try:
                self._entries[key] = entry.find_entry(self.root, word, search, cwd, mounts)
            except PermissionError as error:
                raise unreadable(error) from error
        return self._entries[key]

    def writable_tmp(self) -> bool:
        """Whether the image has a /tmp that everybody may write."""
        if self._writable_tmp is None:
            self._writable_tmp = self._look_at_tmp()
        return self._writable_tmp

    def has(self, place: str) -> bool:
        """Whether the image has something there; links lead through the image alone."""
        return self._mode_of(place) is not None

    def _look_at_tmp(self) -> bool:
        mode = self._mode_of("tmp")
        return mode is not None and stat.S_ISDIR(mode) and mode & _WORLD_WRITABLE == _WORLD_WRITABLE

    def _mode_of(self, place: str) -> int | None:
        try:
            root = os.open(self.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError as error:
            raise unreadable(error) from error
        try:
            found = syscalls.openat2(root, place, os.O_PATH | os.O_CLOEXEC, _INSIDE)
        except OSError:
            return None  # there is none, or it is a link to nowhere
        finally:
            os.close(root)
        try:
            return os.fstat(found).st_mode
        finally:
            os.close(found)


class Images:
    """The images of a state directory; an image is read once, under whatever name."""

    def __init__(self, root: str, assumed: AssumedUsers = NO_USERS) -> None:
        self._store = ImageStore(root)
        self._assumed = assumed
        self._by_name: dict[str, ImageFacts | UnknownImage] = {}

    def find(self, name: str) -> ImageFacts | UnknownImage:
        """The image of this name; unknown where it is not here.

        Raises ImageError where the name is none or its image is broken, NodeError where it can't be read.
        """
        if name not in self._by_name:
            try:
                stored = self._store.find(name)
                self._by_name[name] = self._missing(name) if stored is None else self._facts(stored)
            except PermissionError as error:
                raise unreadable(error) from error
        return self._by_name[name]

    def root_of(self, name: str) -> str | Unknown:
        """The unpacked files of the image of this name; why nobody knows them where it is not here."""
        found = self.find(name)
        return found.unknown if isinstance(found, UnknownImage) else found.root

    def _missing(self, name: str) -> UnknownImage:
        return missing(name, self._assumed.of(name))

    def _facts(self, stored: StoredImage) -> ImageFacts:
        return ImageFacts(self._store.load(stored), stored.rootfs)


def missing(name: str, assumed: AssumedUser | None = None) -> UnknownImage:
    """What stands for an image that is not here."""
    remedy = f"`podward image pull {name}`, or `--pull`, brings it"
    if assumed is None:
        remedy += "; `--image-user UID:GID` tells what its user would come to"
    return UnknownImage(name, Unknown(f"image {name} is not here", remedy), assumed)


def unreadable(error: OSError) -> NodeError:
    """What to say where this user may not read the state directory."""
    where = error.filename if isinstance(error.filename, str) else ""
    advice = "run as root, or set PODWARD_ROOT to a state directory that you may read"
    return NodeError(
        f"cannot read the state directory: {os.strerror(error.errno or errno.EACCES)}", where=where, advice=advice
    )
