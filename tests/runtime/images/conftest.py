"""Images made by hand, good and bad, for the tests of the store."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from podward.runtime.images.store import ImageStore

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"

Member = tuple[tarfile.TarInfo, bytes]


class Layout:
    """An OCI layout directory under construction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifests: list[dict[str, object]] = []
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, content: bytes, kind: str) -> dict[str, object]:
        digits = hashlib.sha256(content).hexdigest()
        (self.path / "blobs/sha256" / digits).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digits}", "size": len(content)}

    def image(
        self,
        layers: Sequence[bytes],
        name: str = "test:1",
        config: dict[str, object] | None = None,
        *,
        compress: bool = False,
        diff_ids: Sequence[str] | None = None,
    ) -> dict[str, object]:
        """Add an image; returns its manifest's descriptor."""
        digests = [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
        document = {
            "architecture": "amd64",
            "os": "linux",
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": list(digests if diff_ids is None else diff_ids)},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(document).encode(), CONFIG),
            "layers": [
                self.blob(gzip.compress(layer), f"{LAYER}+gzip") if compress else self.blob(layer, LAYER)
                for layer in layers
            ],
        }
        return self.add(manifest, name)

    def add(self, manifest: dict[str, object], name: str = "test:1", kind: str = MANIFEST) -> dict[str, object]:
        descriptor = self.blob(json.dumps(manifest).encode(), kind)
        self.manifests.append({**descriptor, "annotations": {REF_NAME: name}} if name else descriptor)
        self.write_index()
        return descriptor

    def write_index(self) -> None:
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.manifests}))

    def blob_path(self, descriptor: dict[str, object]) -> Path:
        return self.path / "blobs/sha256" / str(descriptor["digest"]).removeprefix("sha256:")

    @staticmethod
    def entry(name: str, content: bytes = b"", more: Mapping[str, object] | None = None, **fields: object) -> Member:
        """Make a member of a layer: `entry(name, content, type=…, linkname=…)`."""
        member = tarfile.TarInfo(name)
        member.size = len(content)
        member.mode = 0o755
        for field, value in {**(more or {}), **fields}.items():
            setattr(member, field, value)
        return member, content

    @staticmethod
    def tar(*members: Member) -> bytes:
        """Make a layer of members."""
        content = io.BytesIO()
        with tarfile.open(fileobj=content, mode="w:", format=tarfile.PAX_FORMAT) as archive:
            for member, data in members:
                archive.addfile(member, io.BytesIO(data))
        return content.getvalue()

    def archive(self, file: Path, *, compress: bool = False) -> Path:
        """The same as an OCI archive."""
        with tarfile.open(file, "w:gz" if compress else "w:") as archive:
            archive.add(self.path, ".")
        return file


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(str(tmp_path / "state"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


@pytest.fixture(autouse=True)
def _no_orphans() -> Iterator[None]:
    """No test leaves a child, not even a dead one."""
    before = _children()
    yield
    assert _children() <= before


def _children() -> set[str]:
    lists = Path("/proc/self/task").glob("*/children")  # those of each thread
    return {pid for each in lists for pid in each.read_text(encoding="ascii").split()}
