"""Adding images to the store: all bytes are checked against their digests, then unpacked, then the image gets names."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, Protocol

from msgspec import Struct

from podward.runtime.images import unpack
from podward.runtime.images.layers import MOST_BYTES, MOST_FILES, Room, inspect_layer
from podward.runtime.images.layout import (
    CONFIGS,
    LARGEST_DOCUMENT,
    LAYER,
    LAYER_GZIP,
    MANIFESTS,
    Descriptor,
    ExecutionConfig,
    ImageDocument,
    Manifest,
    corrupt_image,
    decode,
    hex_digits,
    refuse_nul,
)
from podward.runtime.images.staging import Staging, store_lock, write_entries
from podward.runtime.images.store import ImageStore, IndexEntry

_PIECE = 1 << 20


class BlobSource(Protocol):
    """Gives the blobs of an image that is to be added."""

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest, whose content is not yet checked. Raises ImageError if it is missing."""


class OfferedImage(Struct, frozen=True):
    """An image that is to be added: its manifest's descriptor, and the complete names that it gets."""

    manifest: Descriptor
    names: tuple[str, ...]


class ImportedImage(Struct, frozen=True):
    """An image that was added to the store."""

    id: str
    manifest: str
    names: tuple[str, ...]


class _CheckedImage(Struct, frozen=True):
    offered: OfferedImage
    config: Descriptor
    layers: tuple[Descriptor, ...]
    execution: ExecutionConfig

    @property
    def id(self) -> str:
        return self.config.digest


def ingest(
    staging: Staging, blobs: BlobSource, offered_images: tuple[OfferedImage, ...], where: str
) -> tuple[ImportedImage, ...]:
    """Check, unpack and name these images. Raises ImageError before any of them is in the store.

    `where` is the user's word for them, for errors.
    """
    checked = tuple(_check(staging, blobs, offered, where) for offered in offered_images)
    ready: dict[str, str] = {}
    while True:
        for image in checked:
            if image.id not in ready and not os.path.exists(_image_directory(staging.store, image.id)):
                directory = unpack.unpack(staging, where, image.config, image.layers)
                unpack.write_facts(directory, where, image.id, image.execution.facts())
                ready[image.id] = f"{staging.path}/ready-{len(ready)}"
                os.rename(directory, ready[image.id])
        with store_lock(staging.store):
            if all(image.id in ready or os.path.exists(_image_directory(staging.store, image.id)) for image in checked):
                for image in checked:
                    _move_into_store(staging, image, ready.pop(image.id, ""))
                _assign_names(staging.store, tuple((image.id, image.offered) for image in checked))
                return tuple(
                    ImportedImage(image.id, image.offered.manifest.digest, image.offered.names) for image in checked
                )
        # Another process removed an image that was unpacked when we looked: unpack it now.


def adopt(store: ImageStore, offered: OfferedImage) -> ImportedImage | None:
    """Give an image these names if it is in the store already; None if it is not."""
    manifest = f"{store.directory}/blobs/sha256/{offered.manifest.digest[7:]}"
    with store_lock(store):
        try:
            with open(manifest, "rb") as opened:  # it was checked when it was taken in
                identifier = decode(opened.read(LARGEST_DOCUMENT), Manifest, manifest).config.digest
        except FileNotFoundError:
            return None
        if not os.path.exists(_image_directory(store, identifier)):
            return None
        _assign_names(store, ((identifier, offered),))
    return ImportedImage(identifier, offered.manifest.digest, offered.names)


def copy_blob(staging: Staging, blobs: BlobSource, descriptor: Descriptor, where: str) -> str:
    """Copy a blob into the staging directory, once. Raises ImageError if size or digest differ from its descriptor."""
    digits = hex_digits(descriptor.digest, where)
    if os.path.exists(staging.blob(digits)) and os.stat(staging.blob(digits)).st_size == descriptor.size:
        return staging.blob(digits)
    if descriptor.size > room(staging).bytes:
        raise corrupt_image(
            f"blob {descriptor.digest} says it has {descriptor.size:,} bytes: more than there is room for", where
        )
    digest = hashlib.sha256()
    size = 0
    with blobs.open(digits) as source, open(staging.blob(digits), "wb") as copy:
        os.fchmod(copy.fileno(), 0o600)
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            if size > descriptor.size:
                break
            copy.write(piece)
    if size != descriptor.size:
        more = "more than " if size > descriptor.size else ""
        found = f"{more}{min(size, descriptor.size):,}"
        raise corrupt_image(f"blob {descriptor.digest} has {found} bytes, not {descriptor.size:,}", where)
    if digest.hexdigest() != digits:
        raise corrupt_image(
            f"blob {descriptor.digest}: digest mismatch, its content has sha256:{digest.hexdigest()}", where
        )
    return staging.blob(digits)


def read_document(staging: Staging, blobs: BlobSource, descriptor: Descriptor, where: str) -> bytes:
    """The content of a manifest, an index or a config, checked against its digest."""
    if not 0 <= descriptor.size <= LARGEST_DOCUMENT:
        raise corrupt_image(
            f"{descriptor.digest[:100]!a} says it has {descriptor.size:,} bytes: no document has", where
        )
    with open(copy_blob(staging, blobs, descriptor, where), "rb") as opened:
        return opened.read()


def _check(staging: Staging, blobs: BlobSource, offered: OfferedImage, where: str) -> _CheckedImage:
    manifest = decode(read_document(staging, blobs, offered.manifest, where), Manifest, where)
    if manifest.media_type not in MANIFESTS | {None, ""}:
        raise corrupt_image(f"a manifest of the type {manifest.media_type!a} is no image's", where)
    if manifest.config.media_type not in CONFIGS | {None, ""}:
        raise corrupt_image(f"a config of the type {manifest.config.media_type!a} is no image's", where)
    config = decode(read_document(staging, blobs, manifest.config, where), ImageDocument, where)
    execution = config.config or ExecutionConfig()
    refuse_nul(execution.facts(), where)
    expected = (config.rootfs.diff_ids if config.rootfs else None) or ()
    layers = manifest.layers or ()
    if len(expected) != len(layers):
        raise corrupt_image(f"the config lists {len(expected)} layers, the manifest {len(layers)}", where)
    left = room(staging)
    found = []
    for descriptor, diff_id in zip(layers, expected, strict=True):
        facts = inspect_layer(copy_blob(staging, blobs, descriptor, where), where, room=left)
        left = left.without(facts.taken)
        if facts.diff_id != diff_id:
            said = f"the config says {diff_id[:100]!a}"
            raise corrupt_image(
                f"layer {descriptor.digest}: digest mismatch, its content has {facts.diff_id}, {said}", where
            )
        kind = LAYER_GZIP if facts.gzip else LAYER
        found.append(Descriptor(descriptor.digest, descriptor.size, kind))
    return _CheckedImage(offered, manifest.config, tuple(found), execution)


def room(staging: Staging) -> Room:
    """What an image may take of the store's file system: a tenth of what is free stays free."""
    facts = os.statvfs(staging.path)
    free = facts.f_bavail * facts.f_frsize
    files = facts.f_favail // 10 * 9 if facts.f_files else MOST_FILES  # some file systems count no inodes
    return Room(min(MOST_BYTES, free // 10 * 9), min(MOST_FILES, files))


def _image_directory(store: ImageStore, identifier: str) -> str:
    return f"{store.directory}/rootfs/{identifier[7:]}"


def _move_into_store(staging: Staging, image: _CheckedImage, ready: str) -> None:
    for descriptor in (image.offered.manifest, image.config, *image.layers):
        digits = descriptor.digest[7:]
        if os.path.exists(staging.blob(digits)):
            os.rename(staging.blob(digits), f"{staging.store.directory}/blobs/sha256/{digits}")
    if ready and not os.path.exists(_image_directory(staging.store, image.id)):
        os.rename(ready, _image_directory(staging.store, image.id))


def _assign_names(store: ImageStore, images: tuple[tuple[str, OfferedImage], ...]) -> None:
    """Give each image its names, by its id; other images lose these. Without a name it keeps an entry without one."""
    before = entries = store.entries()
    for identifier, offered in images:
        names, manifest = offered.names, offered.manifest
        kept = [entry for entry in entries if entry.name not in names and (entry.name or entry.id != identifier)]
        kept += [IndexEntry(name, identifier, manifest.digest, manifest.size) for name in names]
        if not any(entry.id == identifier for entry in kept):
            kept.append(IndexEntry("", identifier, manifest.digest, manifest.size))
        left = {entry.id for entry in kept}
        for entry in entries:
            if entry.id not in left:
                left.add(entry.id)
                kept.append(IndexEntry("", entry.id, entry.manifest, entry.size))
        entries = tuple(kept)
    if set(entries) != set(before):
        write_entries(store, entries)
