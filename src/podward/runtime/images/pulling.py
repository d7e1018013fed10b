"""`podward image pull`: images from registries, with skopeo.

skopeo 1.9 makes paths of a manifest's digests without checking them (CVE-2024-3727). So the manifest is fetched and
checked first; then skopeo copies the image by that manifest's digest.

skopeo finds registry credentials in its authentication file (`skopeo login`); they are never on a command line.
"""

from __future__ import annotations

import hashlib
import sys

from podward.api.reference import Reference, is_digest, parse
from podward.errors import ImageError, RuntimeFailedError
from podward.runtime.images.importing import LayoutDirectory, choose_platform
from podward.runtime.images.ingest import ImportedImage, OfferedImage, ingest, room
from podward.runtime.images.layout import LARGEST_DOCUMENT, Index, Manifest, corrupt_image, decode, hex_digits
from podward.runtime.images.staging import Staging
from podward.runtime.images.store import ImageStore

_DEEPEST = 4
_SPARE = 1 << 20
"""What a file of skopeo may have beyond the largest blob: a registry that sends more than it said must not fill us."""


def pull(store: ImageStore, name: str, *, tls_verify: bool | None = None, authfile: str = "") -> ImportedImage:
    """Pull an image and store it under its complete name, and under its digests in the registry.

    If `tls_verify` is None, certificates are verified, except those of registries on loopback, which may also use plain
    HTTP. Raises ImageError if the registry has no such image, or sends another one than it says.
    """
    reference = parse(name)
    verify = tls_verify if tls_verify is not None else not is_loopback(reference.domain)
    with Staging(store) as staging:
        skopeo = _SkopeoPull(staging, reference, ("--authfile", authfile) if authfile else (), verify=verify)
        digests = skopeo.manifest_digests()
        skopeo.copy(digests[-1])
        layout = LayoutDirectory(f"{staging.path}/pulled", name)
        manifest = (decode(layout.index(), Index, name).manifests or ())[0]
        digested = (Reference(reference.domain, reference.path, digest=digest) for digest in digests)
        names = tuple(dict.fromkeys((str(reference), *map(str, digested))))
        return ingest(staging, layout, (OfferedImage(manifest, names),), name)[0]


def is_loopback(domain: str) -> bool:
    """Whether a registry is on this machine: localhost, 127.0.0.0/8 or ::1, with any port."""
    if domain.startswith("["):
        return domain[1:].partition("]")[0] == "::1"
    host = domain.partition(":")[0]
    if host == "localhost":
        return True
    parts = host.split(".")
    return len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts) and parts[0] == "127"


class _SkopeoPull:
    """The calls of skopeo for one image."""

    def __init__(self, staging: Staging, reference: Reference, options: tuple[str, ...], *, verify: bool) -> None:
        self._staging = staging
        self._reference = reference
        self._options = options
        self._verify = str(verify).lower()
        self._largest = 0

    def manifest_digests(self) -> tuple[str, ...]:
        """The digest of the index, if there is one, and of the manifest for this machine, which is the last."""
        source = str(self._reference)
        expected = self._reference.digest
        found: list[str] = []
        for _ in range(_DEEPEST):
            content = self._raw(source)
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if expected and digest != expected:
                raise corrupt_image(f"digest mismatch: the registry sent a manifest that has {digest}", source)
            found.append(digest)
            index = decode(content, Index, source)
            if not index.manifests:
                self._check(decode(content, Manifest, source))
                return tuple(found)
            expected = choose_platform(index, source).digest
            hex_digits(expected, source)
            source = str(Reference(self._reference.domain, self._reference.path, digest=expected))
        raise corrupt_image("its indexes are nested too deep", source)

    def copy(self, digest: str) -> None:
        """Copy the image with this manifest digest into the staging directory, as `oci:pulled:image`."""
        source = f"docker://{self._reference.repository}@{digest}"
        tls = f"--src-tls-verify={self._verify}"
        terminal = sys.stderr.isatty()
        quiet = () if terminal else ("--quiet",)
        words = ("skopeo", "--tmpdir", ".", "copy", *quiet, tls, *self._options, source, "oci:pulled:image")
        self._run(words, output=sys.stderr.fileno() if terminal else -1, largest_file=self._largest)

    def _raw(self, source: str) -> bytes:
        tls = f"--tls-verify={self._verify}"
        content = self._run(("skopeo", "--tmpdir", ".", "inspect", "--raw", tls, *self._options, f"docker://{source}"))
        if len(content) > LARGEST_DOCUMENT:
            raise corrupt_image("its manifest is too large", source)
        return content

    def _check(self, manifest: Manifest) -> None:
        """The manifest's digests are digests, and there is room for what it says that its blobs have."""
        blobs = (manifest.config, *(manifest.layers or ()))
        for descriptor in blobs:
            if not is_digest(descriptor.digest):
                raise corrupt_image(f"{descriptor.digest[:100]!a} is not a sha256 digest", str(self._reference))
        size, allowed = sum(max(blob.size, 0) for blob in blobs), room(self._staging).bytes
        if size > allowed:
            advice = f"there is room for {allowed:,}: make some, or set PODWARD_ROOT to a larger disk"
            raise ImageError(f"its blobs have {size:,} bytes", where=str(self._reference), advice=advice)
        self._largest = max(0, *(blob.size for blob in blobs)) + _SPARE

    def _run(self, words: tuple[str, ...], output: int = -1, largest_file: int | None = None) -> bytes:
        try:
            return self._staging.run(words, output=output, largest_file=largest_file)
        except RuntimeFailedError as error:
            raise ImageError(
                f"can't pull the image: {error.what}",
                where=str(self._reference),
                advice="check the name; `skopeo login` for a private registry; --tls-verify=false for one without TLS",
            ) from None
