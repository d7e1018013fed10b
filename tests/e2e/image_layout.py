"""Images as files that anybody may have written: an OCI layout around a config that is given as text."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

BUSYBOX = "/bin/busybox"


def layer(fill: Callable[[tarfile.TarFile], None]) -> bytes:
    """A layer, not compressed."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        fill(archive)
    return packed.getvalue()


def small_root(archive: tarfile.TarFile) -> None:
    """A busybox as /bin/sh and /bin/id, and a passwd."""
    path = next(place for place in (BUSYBOX, "/usr/bin/busybox") if os.path.exists(place))
    program = Path(path).read_bytes()
    entry = tarfile.TarInfo("bin/busybox")
    entry.size, entry.mode = len(program), 0o755
    archive.addfile(entry, io.BytesIO(program))
    for name in ("sh", "id", "true"):
        link = tarfile.TarInfo(f"bin/{name}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        archive.addfile(link)
    passwd = b"root:x:0:0::/:/bin/sh\n"
    file = tarfile.TarInfo("etc/passwd")
    file.size = len(passwd)
    archive.addfile(file, io.BytesIO(passwd))


def write_layout(directory: Path, name: str, members: str, packed: bytes) -> str:
    """An OCI layout of one image; `members` are further members of its config, as text."""
    blobs = directory / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def add(content: bytes, kind: str) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    diff = hashlib.sha256(packed).hexdigest()
    root = f'"rootfs":{{"type":"layers","diff_ids":["sha256:{diff}"]}}'
    config = f'{{"architecture":"amd64","os":"linux",{root},{members}}}'
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": add(config.encode(), "config.v1+json"),
        "layers": [add(gzip.compress(packed, 1), "layer.v1.tar+gzip")],
    }
    index = add(json.dumps(manifest).encode(), "manifest.v1+json")
    index["annotations"] = {"org.opencontainers.image.ref.name": name}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [index]}), encoding="ascii")
    (directory / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}', encoding="ascii")
    return str(directory)
