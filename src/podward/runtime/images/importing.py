"""`podward image import`: images from an OCI layout (a directory), an OCI archive, or an archive of `docker save`.

A directory and an OCI archive are read blob by blob, under names that are made from digests: no path in them is ever
used. skopeo first turns Docker's archives into a layout. An archive that is both is read as an OCI archive.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import msgspec

from podward.api.reference import parse
from podward.errors import ImageError, RuntimeFailedError
from podward.runtime.images.ingest import BlobSource, ImportedImage, OfferedImage, ingest, read_document, room
from podward.runtime.images.layout import (
    CONTAINERD_NAME,
    INDEXES,
    LARGEST_DOCUMENT,
    REF_NAME,
    Descriptor,
    Index,
    corrupt_image,
    decode,
)
from podward.runtime.images.staging import Staging
from podward.runtime.images.store import ImageStore
from podward.runtime.machine import architecture

_DEEPEST = 4  # indexes within indexes: buildx makes two
_NOT_AN_IMAGE = "give an OCI layout (a directory with index.json), an OCI archive, or an archive of `docker save`"
_PIECE = 1 << 20


class LayoutDirectory:
    """The blobs of an OCI layout on disk."""

    def __init__(self, directory: str, where: str) -> None:
        self._directory = directory
        self._where = where

    def index(self) -> bytes:
        """The content of index.json."""
        return _read(self._open("index.json", "index.json"))

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest."""
        return self._open(f"blobs/sha256/{digits}", f"blob sha256:{digits}")

    def _open(self, name: str, what: str) -> BinaryIO:
        try:
            descriptor = os.open(f"{self._directory}/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise corrupt_image(f"{what} can't be read: {error.strerror}", self._where) from None
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise corrupt_image(f"{what} is no regular file", self._where)
        return os.fdopen(descriptor, "rb")


class LayoutArchive:
    """The blobs of an OCI layout in a tar archive."""

    def __init__(self, archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], where: str) -> None:
        self._archive = archive
        self._members = members
        self._where = where

    def index(self) -> bytes:
        """The content of index.json."""
        return _read(self._open("index.json", "index.json"))

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest."""
        return self._open(f"blobs/sha256/{digits}", f"blob sha256:{digits}")

    def _open(self, name: str, what: str) -> BinaryIO:
        member = self._members.get(name)
        if member is None:
            raise corrupt_image(f"{what} is missing", self._where)
        return cast("BinaryIO", self._archive.extractfile(member))  # members are regular files


def import_path(store: ImageStore, path: str, name: str = "") -> tuple[ImportedImage, ...]:
    """Import the images of a file or directory, under `name` or under the names that they have there.

    Raises ImageError if there is no image, none for this machine, or one that is corrupt or hostile.
    """
    names = (str(parse(name)),) if name else ()
    place = os.path.abspath(path)
    if os.path.isdir(place):
        if not os.path.exists(f"{place}/index.json"):
            raise ImageError("this directory is no OCI layout: it has no index.json", where=path, advice=_NOT_AN_IMAGE)
        with Staging(store) as staging:
            return import_layout(staging, LayoutDirectory(place, path), names, path)
    if not os.path.exists(place):
        raise ImageError("there is no such file or directory", where=path, advice=_NOT_AN_IMAGE)
    if not os.path.isfile(place):
        raise ImageError("this is neither a file nor a directory", where=path, advice=_NOT_AN_IMAGE)
    with Staging(store) as staging, _archive(staging, place, path) as (archive, members):
        if "index.json" in members:
            return import_layout(staging, LayoutArchive(archive, members, path), names, path)
        if "manifest.json" in members:
            return _import_docker(staging, _docker_names(archive, members, path), names, path)
        raise ImageError("this archive holds no image", where=path, advice=_NOT_AN_IMAGE)


def import_layout(
    staging: Staging, layout: LayoutDirectory | LayoutArchive, names: tuple[str, ...], where: str
) -> tuple[ImportedImage, ...]:
    """Import the images of a layout; if `names` are given, it must have one image, which gets these names."""
    index = decode(layout.index(), Index, where)
    found = tuple(_offered_images(staging, layout, index, where))
    if not found:
        raise ImageError("it lists no image", where=where, advice=_NOT_AN_IMAGE)
    if names:
        return ingest(staging, layout, (OfferedImage(_only(found, where).manifest, names),), where)
    return ingest(staging, layout, found, where)


def choose_platform(index: Index, where: str) -> Descriptor:
    """The image of an index that is for this machine. Raises ImageError if there is none."""
    wanted = ("linux", architecture())
    listed = index.manifests or ()
    for entry in listed:
        if entry.platform and (entry.platform.os, entry.platform.architecture) == wanted:
            return entry
    if len(listed) == 1 and (listed[0].platform is None or not listed[0].platform.architecture):
        return listed[0]
    platforms = {f"{entry.platform.os}/{entry.platform.architecture}" for entry in listed if entry.platform}
    advice = (
        f"it has {', '.join(sorted(platforms))[:200]}" if platforms else "its index says of no image what it is for"
    )
    raise ImageError(f"the image has nothing for {'/'.join(wanted)}", where=where, advice=advice)


def _offered_images(staging: Staging, blobs: BlobSource, index: Index, where: str) -> Iterator[OfferedImage]:
    for entry in index.manifests or ():
        descriptor = entry
        for _ in range(_DEEPEST):
            if descriptor.media_type not in INDEXES:
                break
            descriptor = choose_platform(decode(read_document(staging, blobs, descriptor, where), Index, where), where)
        else:
            raise corrupt_image("its indexes are nested too deep", where)
        yield OfferedImage(descriptor, _names(entry))


def _names(entry: Descriptor) -> tuple[str, ...]:
    """The names that a layout gives an image.

    `org.opencontainers.image.ref.name` may be a complete name or only a tag of an unknown repository. A word without
    colon and slash is taken for a tag, and gives no name.
    """
    full = entry.annotation(CONTAINERD_NAME)
    if full:
        return (str(parse(full)),)
    name = entry.annotation(REF_NAME)
    return (str(parse(name)),) if ":" in name or "/" in name else ()


def _only(found: tuple[OfferedImage, ...], where: str) -> OfferedImage:
    if len({candidate.manifest.digest for candidate in found}) > 1:
        advice = "leave --name out: each image gets its own"
        raise ImageError(f"it holds {len(found)} images, and one name was given", where=where, advice=advice)
    return found[0]


class _DockerImage(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = msgspec.field(default=None, name="RepoTags")


def _docker_names(
    archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], where: str
) -> tuple[tuple[str, ...], ...]:
    content = _read(cast("BinaryIO", archive.extractfile(members["manifest.json"])))
    try:
        images = msgspec.json.decode(content, type=tuple[_DockerImage, ...])
    except msgspec.MsgspecError as error:
        raise corrupt_image(f"its manifest.json is not valid: {error}", where) from None
    return tuple(tuple(str(parse(tag)) for tag in image.tags or ()) for image in images)


def _import_docker(
    staging: Staging, listed: tuple[tuple[str, ...], ...], names: tuple[str, ...], where: str
) -> tuple[ImportedImage, ...]:
    if names and len(listed) > 1:
        raise ImageError(
            f"it holds {len(listed)} images, and one name was given", where=where, advice="leave --name out"
        )
    done: tuple[ImportedImage, ...] = ()
    for number, own in enumerate(listed):
        target = f"docker-{number}"
        try:
            staging.run(
                (
                    "skopeo",
                    "--tmpdir",
                    ".",
                    "copy",
                    "--quiet",
                    f"docker-archive:archive:@{number}",
                    f"oci:{target}:image",
                )
            )
        except RuntimeFailedError as error:
            raise corrupt_image(f"skopeo can't read it: {error.what}", where) from None
        layout = LayoutDirectory(f"{staging.path}/{target}", where)
        manifest = (decode(layout.index(), Index, where).manifests or ())[0]
        done += ingest(staging, layout, (OfferedImage(manifest, names or own),), where)
    return done


@contextmanager
def _archive(staging: Staging, place: str, where: str) -> Iterator[tuple[tarfile.TarFile, dict[str, tarfile.TarInfo]]]:
    """The opened archive, uncompressed first if it is compressed, and its regular files by name."""
    plain = f"{staging.path}/archive"
    with open(place, "rb") as opened:
        gzip = opened.read(2) == b"\x1f\x8b"
    if gzip:
        _decompress(place, plain, where, room(staging).bytes)
    else:
        os.symlink(place, plain)
    try:
        with tarfile.open(plain, mode="r:") as archive:
            yield archive, {m.name.removeprefix("./"): m for m in archive if m.isreg()}
    except tarfile.TarError as error:
        raise ImageError(f"this is no tar archive: {error}", where=where, advice=_NOT_AN_IMAGE) from None


def _decompress(place: str, plain: str, where: str, free: int) -> None:
    unzip = zlib.decompressobj(wbits=31)
    with open(place, "rb") as source, open(plain, "xb") as target:
        try:
            while piece := source.read(_PIECE):
                while piece and not unzip.eof:
                    free -= target.write(unzip.decompress(piece, _PIECE))
                    if free < 0:
                        raise corrupt_image("uncompressed, it is larger than there is room for", where)
                    piece = unzip.unconsumed_tail
        except zlib.error as error:
            raise corrupt_image(f"its compressed data is damaged: {error}", where) from None
    if not unzip.eof:
        raise corrupt_image("its compressed data ends too early", where)


def _read(opened: BinaryIO) -> bytes:
    with opened:
        return opened.read(LARGEST_DOCUMENT)
