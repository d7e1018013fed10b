"""The JSON documents of the OCI image specification 1.1, and of Docker's schema 2, which have the same form.

All of them may be hostile. They are read as Go's decoder reads them (`go_json`): a node that reads an image's user in
another way than we do would run it as another user.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct, field

from podward.api.image import ImageConfig
from podward.api.reference import is_digest
from podward.errors import ImageError
from podward.runtime.images import go_json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS = frozenset((MANIFEST, DOCKER_MANIFEST))
INDEXES = frozenset((INDEX, DOCKER_LIST))
CONFIGS = frozenset((CONFIG, "application/vnd.docker.container.image.v1+json"))

REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'
LARGEST_DOCUMENT = 4 << 20
"""The largest index, manifest or config, in bytes: registries refuse larger manifests."""

T = TypeVar("T", bound=Struct)


class Platform(Struct, frozen=True, omit_defaults=True):
    """The platform of a manifest, by Go's names."""

    architecture: str | None = None
    os: str | None = None


class Descriptor(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A descriptor of a blob; `size` is in bytes."""

    digest: str
    size: int
    media_type: str | None = None
    platform: Platform | None = None
    annotations: dict[str, str] | None = None

    def annotation(self, name: str) -> str:
        """The annotation's value, empty if there is none."""
        return (self.annotations or {}).get(name, "")


class Index(Struct, frozen=True, rename="camel", kw_only=True):
    """index.json of a layout, or an image index."""

    schema_version: int = 2
    manifests: tuple[Descriptor, ...] | None = ()


class Manifest(Struct, frozen=True, rename="camel", kw_only=True):
    """An image: its config and its layers, the lowest first."""

    schema_version: int = 2
    media_type: str | None = MANIFEST
    config: Descriptor
    layers: tuple[Descriptor, ...] | None = ()


class ExecutionConfig(Struct, frozen=True, omit_defaults=True):
    """The field `config` of an image's config."""

    user: str | None = field(default=None, name="User")
    env: tuple[str, ...] | None = field(default=None, name="Env")
    entrypoint: tuple[str, ...] | None = field(default=None, name="Entrypoint")
    cmd: tuple[str, ...] | None = field(default=None, name="Cmd")
    volumes: dict[str, dict[str, object] | None] | None = field(default=None, name="Volumes")
    working_dir: str | None = field(default=None, name="WorkingDir")
    labels: dict[str, str] | None = field(default=None, name="Labels")
    stop_signal: str | None = field(default=None, name="StopSignal")

    def facts(self) -> ImageConfig:
        """The config as the stages need it."""
        return ImageConfig(
            user=self.user or "",
            env=self.env or (),
            entrypoint=self.entrypoint or (),
            cmd=self.cmd or (),
            working_dir=self.working_dir or "",
            volumes=tuple(sorted(self.volumes or {})),
            stop_signal=self.stop_signal or "",
        )


def refuse_nul(config: ImageConfig, where: str) -> None:
    """Raise ImageError for a NUL in the config: execve(2) and the kernel's paths end there, and checks do not."""
    texts = (config.user, config.working_dir, config.stop_signal)
    lists = (config.env, config.entrypoint, config.cmd, config.volumes)
    for text in (*texts, *(text for each in lists for text in each)):
        if "\0" in text:
            raise corrupt_image(f"its config has a NUL character in {text[:200]!a}", where)


class RootFS(Struct, frozen=True):
    """The digests of the layers' contents, uncompressed."""

    type: str | None = "layers"
    diff_ids: tuple[str, ...] | None = ()


class ImageDocument(Struct, frozen=True, omit_defaults=True):
    """An image's config; its digest is the image's id."""

    architecture: str | None = None
    os: str | None = None
    created: str | None = None
    config: ExecutionConfig | None = None
    rootfs: RootFS | None = None


def decode(content: bytes, kind: type[T], where: str) -> T:
    """Decode a document of this type. Raises ImageError if the content is not one."""
    try:
        return go_json.decode(content, kind)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise corrupt_image(f"not a valid {_NAMES.get(kind, 'document')}: {error}", where) from None


def hex_digits(digest: str, where: str) -> str:
    """The 64 digits of a digest, which are safe as a file's name. Raises ImageError for any other text."""
    if not is_digest(digest):
        raise corrupt_image(f"{digest[:100]!r} is not a sha256 digest", where)
    return digest[7:]


def corrupt_image(what: str, where: str) -> ImageError:
    """An error about an image that is corrupt or hostile."""
    return ImageError(what, where=where, advice="the image is corrupt or hostile: get it again from where it was made")


_NAMES: dict[type, str] = {Index: "image index", Manifest: "image manifest", ImageDocument: "image config"}
