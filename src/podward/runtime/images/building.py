"""`podward image build`: makes an image from a base image, one new layer, and the config in a Containerfile."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO

import msgspec

from podward.api.reference import parse
from podward.errors import ImageError, InputError
from podward.runtime.images import containerfile
from podward.runtime.images.copying import LayerPlan, write_layer
from podward.runtime.images.importing import LayoutDirectory
from podward.runtime.images.ingest import ImportedImage, OfferedImage, ingest
from podward.runtime.images.layout import (
    CONFIG,
    LARGEST_DOCUMENT,
    LAYER,
    MANIFEST,
    Descriptor,
    ExecutionConfig,
    ImageDocument,
    Manifest,
    RootFS,
    T,
    decode,
)
from podward.runtime.images.staging import Staging, replace
from podward.runtime.images.store import ImageStore
from podward.runtime.machine import architecture

NAMES = ("Containerfile", "Dockerfile")
LARGEST_FILE = 1 << 20
"""The largest Containerfile, in bytes."""
_CREATED = "1970-01-01T00:00:00Z"
"""A fixed time: the same Containerfile and files give the same image, whenever it is built."""


class _Base(msgspec.Struct, frozen=True):
    """The base image; `root` is the directory of its files."""

    layers: tuple[Descriptor, ...] = ()
    diff_ids: tuple[str, ...] = ()
    config: ExecutionConfig = ExecutionConfig()
    root: str | None = None


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """The manifest of the new image."""

    schema_version: int
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]


class _Sources:
    """Gives blobs of the store and blobs that this build made."""

    def __init__(self, made: str, store: ImageStore, where: str) -> None:
        self._made = made
        self._stored = LayoutDirectory(store.directory, where)

    def open(self, digits: str) -> BinaryIO:
        """The blob of this sha256 digest."""
        made = f"{self._made}/{digits}"
        return open(made, "rb") if os.path.exists(made) else self._stored.open(digits)


def build(store: ImageStore, file: str, context: str, name: str) -> ImportedImage:
    """Build the image that a Containerfile describes, and store it under `name` (without a name if it is empty).

    `context` is the directory that COPY copies from. Raises InputError with the line at which the file is wrong.
    """
    names = (str(parse(name)),) if name else ()
    instructions = containerfile.lines(_text(file), file)
    if not os.path.isdir(context):
        raise InputError("the context is no directory", where=context)
    with Staging(store) as staging:
        made = f"{staging.path}/made"
        os.mkdir(made, 0o700)
        base = _base(store, containerfile.base(instructions), instructions[0].where)
        env = dict(variable.partition("=")[::2] for variable in base.config.env or ())
        recipe = containerfile.read(instructions, containerfile.BaseFacts(env, base.config.working_dir or ""))
        layer = _layer(made, recipe, context, base)
        config = _config(recipe, base, layer)
        manifest = _Manifest(2, MANIFEST, _put(made, config, CONFIG), (*base.layers, *layer))
        candidate = OfferedImage(_put(made, msgspec.json.encode(manifest), MANIFEST), names)
        return ingest(staging, _Sources(made, store, file), (candidate,), name or file)[0]


def find(path: str) -> tuple[str, str]:
    """The Containerfile and its directory; `path` is one of the two."""
    if not os.path.isdir(path):
        return path, os.path.dirname(path) or "."
    for name in NAMES:
        if os.path.exists(f"{path}/{name}"):
            return f"{path}/{name}", path
    raise InputError(f"there is no {' and no '.join(NAMES)}", where=path)


def _text(file: str) -> str:
    try:
        with open(file, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as opened:
            content = opened.read(LARGEST_FILE + 1) or b""
    except OSError as error:
        raise InputError(f"the Containerfile can't be read: {error.strerror}", where=file) from None
    if len(content) > LARGEST_FILE:
        raise InputError(f"the Containerfile is larger than {LARGEST_FILE:,} bytes", where=file)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"the Containerfile is not UTF-8: {error}", where=file) from None


def _base(store: ImageStore, name: str, where: str) -> _Base:
    if name == "scratch":
        return _Base()
    try:
        stored = store.resolve(name)
    except ImageError as error:
        raise ImageError(error.what, where=where, advice=error.advice) from None
    blobs = LayoutDirectory(store.directory, where)
    manifest = _document(blobs, stored.manifest, Manifest, where)
    document = _document(blobs, stored.id, ImageDocument, where)
    diff_ids = (document.rootfs.diff_ids if document.rootfs else None) or ()
    return _Base(manifest.layers or (), diff_ids, document.config or ExecutionConfig(), stored.rootfs)


def _document(blobs: LayoutDirectory, digest: str, kind: type[T], where: str) -> T:
    with blobs.open(digest[7:]) as opened:
        return decode(opened.read(LARGEST_DOCUMENT), kind, where)


def _layer(made: str, recipe: containerfile.Recipe, context: str, base: _Base) -> tuple[Descriptor, ...]:
    """The new layer; none if nothing is added to a base image that has layers."""
    plan = LayerPlan(context, base.root)
    for directory in recipe.directories:
        plan.directory(directory)
    for copy in recipe.copies:
        plan.copy(copy)
    if not plan.entries and base.layers:
        return ()
    digest, size = write_layer(plan, f"{made}/layer")
    os.rename(f"{made}/layer", f"{made}/{digest[7:]}")
    return (Descriptor(digest, size, LAYER),)


def _config(recipe: containerfile.Recipe, base: _Base, layer: tuple[Descriptor, ...]) -> bytes:
    """The config document. An ENTRYPOINT removes the base image's CMD, as Docker's reference says."""
    old = base.config
    volumes: dict[str, dict[str, object] | None] = {path: {} for path in (*(old.volumes or {}), *recipe.volumes)}
    inherited = old.cmd if recipe.entrypoint is None else None
    config = ExecutionConfig(
        user=old.user if recipe.user is None else recipe.user,
        env=tuple(f"{name}={value}" for name, value in recipe.env.items()) or None,
        entrypoint=old.entrypoint if recipe.entrypoint is None else recipe.entrypoint,
        cmd=inherited if recipe.cmd is None else recipe.cmd,
        volumes=volumes or None,
        working_dir=old.working_dir if recipe.working_dir is None else recipe.working_dir,
        labels={**(old.labels or {}), **recipe.labels} or None,
        stop_signal=old.stop_signal if recipe.stop_signal is None else recipe.stop_signal,
    )
    rootfs = RootFS("layers", (*base.diff_ids, *(descriptor.digest for descriptor in layer)))
    return msgspec.json.encode(ImageDocument(architecture(), "linux", _CREATED, config, rootfs))


def _put(made: str, content: bytes, media_type: str) -> Descriptor:
    digits = hashlib.sha256(content).hexdigest()
    replace(f"{made}/{digits}", content)
    return Descriptor(f"sha256:{digits}", len(content), media_type)
