"""An image's way into the store: every byte checked against its digest, then unpacked, then named, in that order."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, Protocol

from msgspec import Struct

from podward.runtime.images import unpack
from podward.runtime.images.layers import inspect
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
    corrupt,
    decode,
    hex_of,
)
from podward.runtime.images.staging import Staging, change, write_entries
from podward.runtime.images.store import Entry

_PIECE = 1 << 20


class Blobs(Protocol):
    """Where an image comes from."""

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest, its content not yet checked; raises ImageError where it is missing."""


class Candidate(Struct, frozen=True):
    """An image offered to the store: its manifest's descriptor, and the complete names it shall have."""

    manifest: Descriptor
    names: tuple[str, ...]


class Ingested(Struct, frozen=True):
    """An image that is in the store now."""

    id: str
    manifest: str
    names: tuple[str, ...]


class _Checked(Struct, frozen=True):
    candidate: Candidate
    config: Descriptor
    layers: tuple[Descriptor, ...]
    execution: ExecutionConfig

    @property
    def id(self) -> str:
        return self.config.digest


def ingest(staging: Staging, blobs: Blobs, candidates: tuple[Candidate, ...], where: str) -> tuple[Ingested, ...]:
    """Check, unpack and name these images; raises ImageError before any of them is in the store.

    `where` is what the user gave, for errors.
    """
    checked = tuple(_check(staging, blobs, candidate, where) for candidate in candidates)
    ready: dict[str, str] = {}
    while True:
        for image in checked:
            if image.id not in ready and not os.path.exists(_home(staging, image.id)):
                directory = unpack.unpack(staging, where, image.config, image.layers)
                unpack.write_facts(directory, where, image.id, image.execution.facts())
                ready[image.id] = f"{staging.path}/ready-{len(ready)}"
                os.rename(directory, ready[image.id])
        with change(staging.store):
            if all(image.id in ready or os.path.exists(_home(staging, image.id)) for image in checked):
                for image in checked:
                    _move_in(staging, image, ready.pop(image.id, ""))
                _name(staging, checked)
                return tuple(
                    Ingested(image.id, image.candidate.manifest.digest, image.candidate.names) for image in checked
                )
        # Somebody removed an image that we had found unpacked already.


def take(staging: Staging, blobs: Blobs, descriptor: Descriptor, where: str) -> str:
    """Copy a blob into the staging directory; raises ImageError if it is not what its descriptor says."""
    digits = hex_of(descriptor.digest, where)
    if descriptor.size > room(staging):
        raise corrupt(f"blob {descriptor.digest} says it has {descriptor.size:,} bytes: more than the disk has", where)
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
        raise corrupt(f"blob {descriptor.digest} has {found} bytes, not {descriptor.size:,}", where)
    if digest.hexdigest() != digits:
        raise corrupt(f"blob {descriptor.digest}: digest mismatch, its content has sha256:{digest.hexdigest()}", where)
    return staging.blob(digits)


def document(staging: Staging, blobs: Blobs, descriptor: Descriptor, where: str) -> bytes:
    """A manifest's, index's or config's content, checked."""
    if not 0 <= descriptor.size <= LARGEST_DOCUMENT:
        raise corrupt(f"{descriptor.digest[:100]!a} says it has {descriptor.size:,} bytes: no document has", where)
    with open(take(staging, blobs, descriptor, where), "rb") as opened:
        return opened.read()


def _check(staging: Staging, blobs: Blobs, candidate: Candidate, where: str) -> _Checked:
    manifest = decode(document(staging, blobs, candidate.manifest, where), Manifest, where)
    if manifest.media_type not in MANIFESTS | {None, ""}:
        raise corrupt(f"a manifest of the type {manifest.media_type!a} is no image's", where)
    if manifest.config.media_type not in CONFIGS | {None, ""}:
        raise corrupt(f"a config of the type {manifest.config.media_type!a} is no image's", where)
    config = decode(document(staging, blobs, manifest.config, where), ImageDocument, where)
    expected = (config.rootfs.diff_ids if config.rootfs else None) or ()
    layers = manifest.layers or ()
    if len(expected) != len(layers):
        raise corrupt(f"the config lists {len(expected)} layers, the manifest {len(layers)}", where)
    free = room(staging)
    found = []
    for descriptor, diff_id in zip(layers, expected, strict=True):
        facts = inspect(take(staging, blobs, descriptor, where), where, room=free)
        free -= facts.size
        if facts.diff_id != diff_id:
            said = f"the config says {diff_id[:100]!a}"
            raise corrupt(f"layer {descriptor.digest}: digest mismatch, its content has {facts.diff_id}, {said}", where)
        kind = LAYER_GZIP if facts.gzip else LAYER
        found.append(Descriptor(descriptor.digest, descriptor.size, kind))
    return _Checked(candidate, manifest.config, tuple(found), config.config or ExecutionConfig())


def room(staging: Staging) -> int:
    """How many bytes there is room for in the store."""
    facts = os.statvfs(staging.path)
    return facts.f_bavail * facts.f_frsize


def _home(staging: Staging, identifier: str) -> str:
    return f"{staging.store.directory}/rootfs/{identifier[7:]}"


def _move_in(staging: Staging, image: _Checked, ready: str) -> None:
    for descriptor in (image.candidate.manifest, image.config, *image.layers):
        digits = descriptor.digest[7:]
        if os.path.exists(staging.blob(digits)):
            os.rename(staging.blob(digits), f"{staging.store.directory}/blobs/sha256/{digits}")
    if ready and not os.path.exists(_home(staging, image.id)):
        os.rename(ready, _home(staging, image.id))


def _name(staging: Staging, checked: tuple[_Checked, ...]) -> None:
    """Give each image its names, taking them from others; who loses the last name keeps a nameless entry."""
    entries = staging.store.entries()
    for image in checked:
        names, manifest = image.candidate.names, image.candidate.manifest
        kept = [entry for entry in entries if entry.name not in names and (entry.name or entry.id != image.id)]
        kept += [Entry(name, image.id, manifest.digest, manifest.size) for name in names]
        if not any(entry.id == image.id for entry in kept):
            kept.append(Entry("", image.id, manifest.digest, manifest.size))
        left = {entry.id for entry in kept}
        for entry in entries:
            if entry.id not in left:
                left.add(entry.id)
                kept.append(Entry("", entry.id, entry.manifest, entry.size))
        entries = tuple(kept)
    write_entries(staging.store, entries)
