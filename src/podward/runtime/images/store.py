"""Finding a local image and its facts: on the way of every `podward run`, so it reads two small files and no more.

    ROOT/images/              0700
      oci-layout              this is an OCI image layout (image-spec 1.1): skopeo and umoci can read it
      index.json              each image under each of its names
      blobs/sha256/HEX        manifests, configs, layers
      rootfs/HEX/             an image, by the hexadecimal digits of its id
        rootfs/               its files, all layers applied
        image.json            its config, and what runtimes read of its passwd and group files
        lock                  held shared (flock) by everybody who runs it
      tmp/NAME/               work under way; `lock` inside is held by who does it
      lock                    held exclusively for moments, by who changes any of this

An image's id is its config's digest. Nobody who only reads takes the store's lock: index.json and rootfs/HEX appear and
go by a rename.
"""

from __future__ import annotations

import fcntl
import os

import msgspec
from msgspec import Struct

from podward.api.image import GroupEntry, Image, ImageConfig, PasswdEntry
from podward.api.reference import Reference, is_digest, is_hex, parse
from podward.errors import ImageError
from podward.runtime.state import Lock

SHORTEST_ID = 3
"""Digits that a shortened id needs, as in podman."""


class Entry(Struct, frozen=True, gc=False):
    """One name of one image; `name` is a complete reference, or empty where the image has lost its last name."""

    name: str
    id: str
    manifest: str
    size: int


class StoredImage(Struct, frozen=True, gc=False):
    """An image that is here.

    `name` is what it was asked for by, `reference` the complete name that this found, empty where it was an id;
    `manifest` is a digest, `rootfs` the directory of the image's files.
    """

    name: str
    reference: str
    id: str
    manifest: str
    rootfs: str


class Facts(Struct, frozen=True, gc=False):
    """The content of image.json."""

    id: str
    config: ImageConfig
    passwd: tuple[PasswdEntry, ...]
    group: tuple[GroupEntry, ...]


class _Annotations(Struct, frozen=True, gc=False):
    name: str = msgspec.field(default="", name="org.opencontainers.image.ref.name")
    id: str = msgspec.field(default="", name="io.podward.image.id")


class _Described(Struct, frozen=True, gc=False):
    media_type: str = msgspec.field(name="mediaType")
    digest: str
    size: int
    annotations: _Annotations


class _Names(Struct, frozen=True, gc=False):
    schema_version: int = msgspec.field(name="schemaVersion")
    manifests: tuple[_Described, ...]


class ImageStore:
    """The images below a state directory. It may be missing: then there are no images."""

    def __init__(self, root: str) -> None:
        self.directory = f"{root}/images"

    def entries(self) -> tuple[Entry, ...]:
        """Every name of every image."""
        place = f"{self.directory}/index.json"
        try:
            with open(place, "rb", buffering=0) as opened:
                content = opened.read()
        except FileNotFoundError:
            return ()
        try:
            names = msgspec.json.decode(content, type=_Names)
        except msgspec.MsgspecError as error:
            raise _broken(f"the list of images can't be read: {error}", place) from None
        return tuple(Entry(m.annotations.name, m.annotations.id, m.digest, m.size) for m in names.manifests)

    def resolve(self, name: str) -> StoredImage:
        """The image of this name, digest or id (whole, or a unique beginning); raises ImageError for none."""
        stored = self.find(name)
        if stored is None:
            advice = "`podward image pull`, `import` or `build` brings it; `podward image ls` lists what is here"
            raise ImageError(f"image {name} is not here", advice=advice)
        return stored

    def find(self, name: str) -> StoredImage | None:
        """The same; None where no image is called so. Raises ImageError for what is no name, or an ambiguous id."""
        entries = self.entries()
        named = _by_name(name, entries)
        found = named or _by_id(name, entries)
        if found is None:
            return None
        digits = found.id.removeprefix("sha256:")
        reference = named.name if named else ""
        return StoredImage(name, reference, found.id, found.manifest, f"{self.directory}/rootfs/{digits}/rootfs")

    def load(self, stored: StoredImage) -> Image:
        """The image's facts; raises ImageError where they can't be read."""
        place = f"{os.path.dirname(stored.rootfs)}/image.json"
        try:
            with open(place, "rb", buffering=0) as opened:
                facts = msgspec.json.decode(opened.read(), type=Facts)
        except FileNotFoundError:
            raise _broken("the image's files are gone", place) from None
        except msgspec.MsgspecError as error:
            raise _broken(f"the image's facts can't be read: {error}", place) from None
        return Image(stored.name, facts.id, facts.config, facts.passwd, facts.group)

    def hold(self, stored: StoredImage) -> Lock:
        """Keep the image from being removed until the lock is released or its holder ends.

        Raises ImageError where the image was removed since it was resolved.
        """
        try:
            descriptor = os.open(f"{os.path.dirname(stored.rootfs)}/lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise _broken("the image's files are gone", stored.rootfs) from None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        lock = Lock(descriptor)
        if not os.path.isdir(stored.rootfs):
            lock.release()
            raise ImageError(f"image {stored.name} was removed just now", advice="import, build or pull it again")
        return lock


def encode_index(entries: tuple[Entry, ...]) -> bytes:
    """The content of index.json for these entries."""
    manifests = tuple(
        _Described(_MANIFEST, entry.manifest, entry.size, _Annotations(entry.name, entry.id)) for entry in entries
    )
    return msgspec.json.format(msgspec.json.encode(_Names(2, manifests)), indent=1)


def belongs(entry: Entry, reference: Reference) -> bool:
    """Whether this entry is what a complete name means; a digest is looked for in the repository it is written with."""
    if entry.name == str(reference):
        return True
    return entry.manifest == reference.digest and entry.name.startswith(
        (f"{reference.repository}:", f"{reference.repository}@")
    )


def _by_name(name: str, entries: tuple[Entry, ...]) -> Entry | None:
    if is_digest(name) or is_digest(f"sha256:{name}"):
        return None
    try:
        reference = parse(name)
    except ImageError:
        if _shortened(name):
            return None
        raise
    return next((entry for entry in entries if belongs(entry, reference)), None)


def _by_id(name: str, entries: tuple[Entry, ...]) -> Entry | None:
    digits = _shortened(name)
    if not digits:
        return None
    found = {entry.id: entry for entry in entries if entry.id.startswith(f"sha256:{digits}")}
    if len(found) > 1:
        listed = ", ".join(sorted(identifier[7:19] for identifier in found))
        raise ImageError(f"several images have an id that begins with {digits}", advice=f"write more of it: {listed}")
    return next(iter(found.values()), None)


def _shortened(name: str) -> str:
    """The digits of a name that may be an id, or its beginning; empty for any other."""
    digits = name.removeprefix("sha256:")
    return digits if len(digits) >= SHORTEST_ID and is_hex(digits, len(digits)) else ""


def _broken(what: str, where: str) -> ImageError:
    advice = "remove the image (`podward image rm`) and import, build or pull it again"
    return ImageError(what, where=where, advice=advice)


_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
