"""Finding a local image and its facts. Every `podward run` does this, so it reads only two small files.

    ROOT/images/              0700
      oci-layout              this is an OCI image layout (image-spec 1.1): skopeo and umoci can read it
      index.json              each image under each of its names
      blobs/sha256/HEX        manifests, configs, layers
      rootfs/HEX/             an image, by the hexadecimal digits of its id
        rootfs/               its files, with all layers applied
        image.json            its config, and the users and groups of its passwd and group files
        lock                  held shared (flock) by each process that runs it
      tmp/NAME/               work in progress; the process that does it holds the `lock` inside. A pull's NAME is the
                              manifest's digest: who wants the same image waits for it
      lock                    held exclusively, for moments, by a process that changes the store

An image's id is its config's digest. Readers do not take the store's lock: index.json and rootfs/HEX appear and vanish
by a rename.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

import msgspec
from msgspec import Struct

from podward.api.image import GroupEntry, Image, ImageConfig, PasswdEntry
from podward.api.reference import Reference, is_digest, is_hex, parse
from podward.errors import ImageError
from podward.runtime.state import Lock

SHORTEST_ID = 3
"""The least digits of a shortened id, as in podman."""


class IndexEntry(Struct, frozen=True, gc=False):
    """One name of one image; `name` is a complete reference, or empty if the image has no name any more."""

    name: str
    id: str
    manifest: str
    size: int


class StoredImage(Struct, frozen=True, gc=False):
    """An image in the store.

    `name` is the name, digest or id that was looked up. `reference` is the complete name that was found, empty if it is
    found by an id. `manifest` is a digest, `rootfs` the directory of the image's files.
    """

    name: str
    reference: str
    id: str
    manifest: str
    rootfs: str


class StoredImageFacts(Struct, frozen=True, gc=False):
    """The content of image.json; `bytes` and `files` is what the image's files take of the disk."""

    id: str
    config: ImageConfig
    passwd: tuple[PasswdEntry, ...]
    group: tuple[GroupEntry, ...]
    bytes: int = 0
    files: int = 0


class _IndexAnnotations(Struct, frozen=True, gc=False):
    name: str = msgspec.field(default="", name="org.opencontainers.image.ref.name")
    id: str = msgspec.field(default="", name="io.podward.image.id")


class _IndexManifest(Struct, frozen=True, gc=False):
    media_type: str = msgspec.field(name="mediaType")
    digest: str
    size: int
    annotations: _IndexAnnotations


class _Index(Struct, frozen=True, gc=False):
    schema_version: int = msgspec.field(name="schemaVersion")
    manifests: tuple[_IndexManifest, ...]


class ImageStore:
    """The images below a state directory. If the directory is missing, there are no images.

    `in_use` gives the ids of images whose files must stay, whatever becomes of their names: besides those that are held
    or mounted, which everybody sees.
    """

    def __init__(self, root: str, in_use: Callable[[], frozenset[str]] = frozenset) -> None:
        self.directory = f"{root}/images"
        self.in_use = in_use
        self._seen = (0, 0, 0)
        self._entries: tuple[IndexEntry, ...] = ()

    def entries(self) -> tuple[IndexEntry, ...]:
        """Every name of every image; read again only when it has changed."""
        place = f"{self.directory}/index.json"
        try:
            with open(place, "rb", buffering=0) as opened:
                facts = os.fstat(opened.fileno())
                seen = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
                if seen == self._seen:
                    return self._entries
                content = opened.read()
        except FileNotFoundError:
            return ()
        try:
            names = msgspec.json.decode(content, type=_Index)
        except msgspec.MsgspecError as error:
            raise _damaged(f"the list of images can't be read: {error}", place) from None
        listed = names.manifests
        self._entries = tuple(IndexEntry(m.annotations.name, m.annotations.id, m.digest, m.size) for m in listed)
        self._seen = seen
        return self._entries

    def resolve(self, name: str) -> StoredImage:
        """The image with this name, digest or id (the whole id, or a unique beginning). Raises ImageError if none."""
        stored = self.find(name)
        if stored is None:
            advice = (
                f"`podward image pull {name}` brings it, or `import`, or `build`; `podward image ls` lists what is here"
            )
            raise ImageError(f"image {name} is not here", advice=advice)
        return stored

    def find(self, name: str) -> StoredImage | None:
        """The same; None if there is no such image. Raises ImageError for an invalid name or an ambiguous id."""
        entries = self.entries()
        named = _by_name(name, entries)
        found = named or _by_id(name, entries)
        return self.stored(name, found, named.name if named else "") if found else None

    def stored(self, name: str, entry: IndexEntry, reference: str) -> StoredImage:
        """The image of this entry, which was found as `name` under the name `reference`."""
        digits = entry.id.removeprefix("sha256:")
        return StoredImage(name, reference, entry.id, entry.manifest, f"{self.directory}/rootfs/{digits}/rootfs")

    def load(self, stored: StoredImage) -> Image:
        """The image as the stages need it. Raises ImageError if its facts can't be read."""
        facts = self.facts(stored)
        return Image(stored.name, facts.id, facts.config, facts.passwd, facts.group)

    def facts(self, stored: StoredImage) -> StoredImageFacts:
        """What is known of the image. Raises ImageError if it can't be read."""
        place = f"{os.path.dirname(stored.rootfs)}/image.json"
        try:
            with open(place, "rb", buffering=0) as opened:
                return msgspec.json.decode(opened.read(), type=StoredImageFacts)
        except FileNotFoundError:
            raise _damaged("the image's files are gone", place) from None
        except msgspec.MsgspecError as error:
            raise _damaged(f"the image's facts can't be read: {error}", place) from None

    def hold(self, stored: StoredImage) -> Lock:
        """Protect the image from being removed until the lock is released or this process ends.

        Raises ImageError if the image was removed after it was resolved.
        """
        try:
            descriptor = os.open(f"{os.path.dirname(stored.rootfs)}/lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise _damaged("the image's files are gone", stored.rootfs) from None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        lock = Lock(descriptor)
        if not os.path.isdir(stored.rootfs):
            lock.release()
            raise ImageError(f"image {stored.name} was removed just now", advice="import, build or pull it again")
        return lock


def encode_index(entries: tuple[IndexEntry, ...]) -> bytes:
    """The content of index.json for these entries."""
    manifests = tuple(
        _IndexManifest(_MANIFEST, entry.manifest, entry.size, _IndexAnnotations(entry.name, entry.id))
        for entry in entries
    )
    return msgspec.json.format(msgspec.json.encode(_Index(2, manifests)), indent=1)


def is_meant_by(entry: IndexEntry, reference: Reference) -> bool:
    """Whether a complete name means this entry; a digest must also be in the same repository."""
    if entry.name == str(reference):
        return True
    return entry.manifest == reference.digest and entry.name.startswith(
        (f"{reference.repository}:", f"{reference.repository}@")
    )


def _by_name(name: str, entries: tuple[IndexEntry, ...]) -> IndexEntry | None:
    if is_digest(name) or is_digest(f"sha256:{name}"):
        return None
    try:
        reference = parse(name)
    except ImageError:
        if _shortened(name):
            return None
        raise
    return next((entry for entry in entries if is_meant_by(entry, reference)), None)


def _by_id(name: str, entries: tuple[IndexEntry, ...]) -> IndexEntry | None:
    digits = _shortened(name)
    if not digits:
        return None
    found = {entry.id: entry for entry in entries if entry.id.startswith(f"sha256:{digits}")}
    if len(found) > 1:
        listed = ", ".join(sorted(identifier[7:19] for identifier in found))
        raise ImageError(f"several images have an id that begins with {digits}", advice=f"write more of it: {listed}")
    return next(iter(found.values()), None)


def _shortened(name: str) -> str:
    """The digits of a name that may be an id or the beginning of one; empty for any other name."""
    digits = name.removeprefix("sha256:")
    return digits if len(digits) >= SHORTEST_ID and is_hex(digits, len(digits)) else ""


def _damaged(what: str, where: str) -> ImageError:
    advice = "remove the image (`podward image rm`) and import, build or pull it again"
    return ImageError(what, where=where, advice=advice)


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
