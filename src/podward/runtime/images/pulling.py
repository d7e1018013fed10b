"""Pulling: images from registries, by way of their mirrors.

The manifest is fetched first. If the store has its image, the image only gets its names; otherwise one process fetches
it, in a staging directory that has the manifest's digest for its name, and others that want it wait for that directory
to go. A layer that another image brought is not fetched again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import get_ident
from typing import BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from podward.api.cri_status import AuthConfig
from podward.api.reference import Reference, is_digest, parse
from podward.errors import ImageError, RegistryError
from podward.runtime.images import hosts_toml, registries_conf, signature_policy
from podward.runtime.images.credentials import Logins
from podward.runtime.images.downloads import fetch_all
from podward.runtime.images.endpoints import Endpoint, is_loopback, own_endpoint
from podward.runtime.images.importing import choose_platform
from podward.runtime.images.ingest import ImportedImage, OfferedImage, adopt, copy_blob, ingest, room
from podward.runtime.images.layout import MANIFEST, Descriptor, Index, Manifest, corrupt_image, decode, hex_digits
from podward.runtime.images.registry import Registry
from podward.runtime.images.staging import Staging, make_store
from podward.runtime.images.store import ImageStore

_DEEPEST = 4
T = TypeVar("T")


class Registries(Struct, frozen=True):
    """What is configured about registries: `registries.conf`, containerd's directory (or none), and a file of logins.

    Without `conf`, `authfile` or `policy` (`policy.json`) the usual files are looked at. If `tls_verify` is None,
    certificates are verified as it is configured; without configuration a registry on loopback need have none, and may
    use plain HTTP.
    """

    conf: str = ""
    config_directory: str = ""
    authfile: str = ""
    tls_verify: bool | None = None
    policy: str = ""

    def endpoints(self, reference: Reference) -> tuple[Endpoint, ...]:
        """Where to ask for the image, in this order. Raises ImageError for a registry that is blocked."""
        found: tuple[Endpoint, ...] = ()
        if self.config_directory:
            found = hosts_toml.endpoints(self.config_directory, reference)
        found = found or registries_conf.endpoints(registries_conf.read_registries(self.conf), reference)
        found = found or (own_endpoint(reference, insecure=is_loopback(reference.domain)),)
        if self.tls_verify is None:
            return found
        schemes = ("https",) if self.tls_verify else ("https", "http")
        return tuple(msgspec.structs.replace(each, verify=self.tls_verify, schemes=schemes) for each in found)


class _Found(Struct, frozen=True):
    """A manifest for this machine, and its digest; `named` is the digest of what the name means, perhaps an index."""

    content: bytes
    digest: str
    named: str


DEFAULT_REGISTRIES = Registries()


def pull(
    store: ImageStore,
    name: str,
    registries: Registries = DEFAULT_REGISTRIES,
    credentials: AuthConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> ImportedImage:
    """Pull an image and store it under its complete name, and under its digest in the registry.

    `progress` is told of each blob that is fetched. Raises RegistryError with what each endpoint said if one can't be
    asked and no other has the image, ImageError if none has it, or if one sends another image than it says, and
    RefusedError if the machine's policy demands signatures.
    """
    reference = parse(name)
    signature_policy.refuse(reference, registries.policy)
    logins = Logins(credentials, registries.authfile, reference.domain)
    asked = tuple(Registry(place, logins.at(place)) for place in registries.endpoints(reference))
    with closing(_Sources(asked, reference)) as sources:
        found = sources.resolve()
        manifest = decode(found.content, Manifest, name)
        _refuse_paths(manifest, name)
        names = dict.fromkeys((str(reference), str(Reference(reference.domain, reference.path, digest=found.named))))
        offered = OfferedImage(Descriptor(found.digest, len(found.content), MANIFEST), tuple(names))
        make_store(store)
        here = adopt(store, offered)
        if here is not None:
            return here
        with Staging(store, hex_digits(found.digest, name)) as staging:
            here = adopt(store, offered)  # another process may have brought it while we waited
            if here is not None:
                return here
            _refuse_size(manifest, room(staging).bytes, name)
            blobs = _Blobs(store, sources, found, progress or _silent)
            fetch_all(manifest.layers or (), lambda layer: copy_blob(staging, blobs, layer, name), sources.close)
            return ingest(staging, blobs, (offered,), name)[0]


class _Sources:
    """The endpoints of one image; the first that has it is asked first from then on."""

    def __init__(self, registries: tuple[Registry, ...], reference: Reference) -> None:
        self._registries = registries
        self._reference = reference
        self._others: dict[int, list[Registry]] = {}
        self._closed = False

    def resolve(self) -> _Found:
        """The manifest that the name means on this machine."""
        askable = tuple(each for each in self._registries if self._reference.digest or each.endpoint.resolves)
        registry, found = self._first(askable, lambda each: _resolve(each, self._reference))
        self._registries = (registry, *(each for each in self._registries if each is not registry))
        return found

    def open(self, digits: str) -> BinaryIO:
        """The blob of this digest. Each thread has connections of its own."""
        mine = self._others.setdefault(get_ident(), [])
        if not mine:
            mine += [each.another() for each in self._registries]
        return self._first(mine, lambda each: each.open(digits))[1]

    def close(self) -> None:
        """End all connections, whoever reads from them."""
        self._closed = True
        for each in (*self._registries, *(each for mine in self._others.values() for each in mine)):
            each.close()

    def _first(self, registries: Sequence[Registry], ask: Callable[[Registry], T]) -> tuple[Registry, T]:
        errors: list[ImageError] = []
        for registry in registries:
            try:
                return registry, ask(registry)
            except ImageError as error:
                errors.append(error)
                if self._closed:
                    break
        raise _none_has_it(self._reference, errors)


class _Blobs:
    """The blobs of an image: the manifest that we have, what the store has of other images, and the registry's."""

    def __init__(self, store: ImageStore, sources: _Sources, found: _Found, progress: Callable[[str], None]) -> None:
        self._store = store
        self._sources = sources
        self._found = found
        self._progress = progress

    def open(self, digits: str) -> BinaryIO:
        """The blob of this digest."""
        if f"sha256:{digits}" == self._found.digest:
            return io.BytesIO(self._found.content)
        try:
            return open(f"{self._store.directory}/blobs/sha256/{digits}", "rb")
        except FileNotFoundError:
            self._progress(f"fetching {digits[:12]}")
            return self._sources.open(digits)


def _resolve(registry: Registry, reference: Reference) -> _Found:
    wanted, expected, named = reference.digest or reference.tag, reference.digest, ""
    where = registry.endpoint.name
    for _ in range(_DEEPEST):
        content = registry.manifest(wanted)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if expected and digest != expected:
            raise corrupt_image(f"digest mismatch: it sends a manifest that has {digest}", where)
        named = named or digest
        index = decode(content, Index, where)
        if not index.manifests:
            return _Found(content, digest, named)
        wanted = expected = choose_platform(index, where).digest
        hex_digits(expected, where)
    raise corrupt_image("its indexes are nested too deep", where)


def _refuse_paths(manifest: Manifest, where: str) -> None:
    """Refuse digests that are none before any becomes part of a path or a URL."""
    for descriptor in (manifest.config, *(manifest.layers or ())):
        if not is_digest(descriptor.digest):
            raise corrupt_image(f"{descriptor.digest[:100]!a} is not a sha256 digest", where)


def _refuse_size(manifest: Manifest, allowed: int, where: str) -> None:
    size = sum(max(blob.size, 0) for blob in (manifest.config, *(manifest.layers or ())))
    if size > allowed:
        advice = f"there is room for {allowed:,}: make some, or set PODWARD_ROOT to a larger disk"
        raise ImageError(f"its blobs have {size:,} bytes", where=where, advice=advice)


def _none_has_it(reference: Reference, errors: list[ImageError]) -> ImageError:
    if not errors:
        advice = "give one of its mirrors the capabilities `pull` and `resolve`, or write the image with its digest"
        return ImageError("no endpoint may be asked what its tag means", where=str(reference), advice=advice)
    said = "; ".join(f"{error.where}: {error.what}" for error in errors)
    kind = RegistryError if any(isinstance(error, RegistryError) for error in errors) else ImageError
    return kind(f"can't pull the image: {said}", where=str(reference), advice=errors[-1].advice)


def _silent(_: str) -> None:
    pass
