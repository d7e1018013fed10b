"""CRI's image service: its verbs over the store. Each is called in a process of its own; what reads, also in others.

Specification (CRI v1 api.proto, as containerd 2 does it where that leaves a choice; in our words):
- An image's id is its config's digest: what PullImage answers, and what containers report.
- An image that is not here is no error for ImageStatus and RemoveImage.
- RemoveImage takes an image with all its names, whichever of them is said. A container that uses it keeps its files:
  they go when the last user has let go, at the next change of the store.
- ImageFsInfo counts the files of images and their blobs; it adds up what was counted when each image came.
"""

from __future__ import annotations

import os
import time
from fnmatch import fnmatchcase

from msgspec import Struct

from podward.api.cri_stats import FilesystemIdentifier, FilesystemUsage
from podward.api.cri_status import AuthConfig, Image
from podward.errors import ImageError
from podward.policy.kubelet.user import parse_image_user
from podward.runtime.images.layout import Manifest, decode
from podward.runtime.images.pulling import DEFAULT_REGISTRIES, Registries, pull
from podward.runtime.images.removal import forget
from podward.runtime.images.store import ImageStore, IndexEntry


class _Facts(Struct, frozen=True):
    """What never changes of an image: its user, and what it takes of the disk with and without its blobs."""

    user: str
    bytes: int
    files: int
    with_blobs: int


class ImageService:
    """The verbs. Images that `pinned` names (`*` stands for anything) are reported as not to be collected."""

    def __init__(
        self, store: ImageStore, registries: Registries = DEFAULT_REGISTRIES, pinned: tuple[str, ...] = ()
    ) -> None:
        self._store = store
        self._registries = registries
        self._pinned = pinned
        self._known: dict[tuple[str, str], _Facts] = {}

    def pull(self, name: str, credentials: AuthConfig | None = None) -> str:
        """Pull an image; returns its id. Raises ImageError with what each registry said.

        A process that is killed here leaves no name of an image that is not whole, and nothing that a sweep does not
        remove.
        """
        return pull(self._store, name, self._registries, credentials).id

    def list(self, name: str = "") -> tuple[Image, ...]:
        """All images, or the one with this name, digest or id."""
        if name:
            only = self.status(name)
            return (only,) if only else ()
        entries = self._store.entries()
        found = tuple(self._status(identifier, entries) for identifier in dict.fromkeys(each.id for each in entries))
        here = {(each.id, each.manifest) for each in entries}
        self._known = {key: facts for key, facts in self._known.items() if key in here}
        return found

    def status(self, name: str) -> Image | None:
        """The image with this name, digest or id; None if it is not here. Raises ImageError for what is no name."""
        found = self._store.find(name)
        return self._status(found.id, self._store.entries()) if found else None

    def config(self, name: str) -> str:
        """The image's config document as it is, for what asks for more than the protocol tells; empty if not here."""
        found = self._store.find(name)
        if found is None:
            return ""
        with open(f"{self._store.directory}/blobs/sha256/{found.id[7:]}", "rb") as opened:
            return opened.read().decode()

    def remove(self, name: str) -> None:
        """Remove the image with this name, digest or id, with all its names; does nothing if it is not here."""
        forget(self._store, name)

    def filesystem(self) -> FilesystemUsage:
        """What images take of the disk."""
        used, files = 0, 0
        entries = {entry.id: entry for entry in self._store.entries()}
        for digits in _names_in(f"{self._store.directory}/rootfs"):
            identifier = f"sha256:{digits}"
            facts = self._facts(entries.get(identifier, IndexEntry("", identifier, "", 0)))
            used, files = used + facts.bytes, files + facts.files
        for digits in _names_in(f"{self._store.directory}/blobs/sha256"):
            used, files = used + _size(f"{self._store.directory}/blobs/sha256/{digits}"), files + 1
        return FilesystemUsage(time.time_ns(), FilesystemIdentifier(self._store.directory), used, files)

    def _status(self, identifier: str, entries: tuple[IndexEntry, ...]) -> Image:
        own = [entry for entry in entries if entry.id == identifier]
        names = sorted({entry.name for entry in own if entry.name})
        facts = self._facts(own[0])
        user = parse_image_user(facts.user)
        return Image(
            identifier,
            tuple(name for name in names if "@" not in name),
            tuple(name for name in names if "@" in name),
            max(facts.with_blobs, 1),
            uid=user.uid,
            username=user.username,
            pinned=any(fnmatchcase(name, pattern) for name in names for pattern in self._pinned),
        )

    def _facts(self, entry: IndexEntry) -> _Facts:
        """The image's facts; of a damaged image, which can be listed and removed, nothing but its manifest's size."""
        key = (entry.id, entry.manifest)
        if key not in self._known:
            try:
                facts = self._store.facts(self._store.stored(entry.name, entry, entry.name))
                blobs = self._blobs_of(entry)
            except (ImageError, OSError):
                return _Facts("", 0, 0, entry.size)
            self._known[key] = _Facts(facts.config.user, facts.bytes, facts.files, facts.bytes + blobs)
        return self._known[key]

    def _blobs_of(self, entry: IndexEntry) -> int:
        """The size of the image's manifest, config and layers."""
        if not entry.manifest:
            return 0
        place = f"{self._store.directory}/blobs/sha256/{entry.manifest[7:]}"
        with open(place, "rb") as opened:
            manifest = decode(opened.read(), Manifest, place)
        return entry.size + manifest.config.size + sum(layer.size for layer in manifest.layers or ())


def _names_in(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def _size(file: str) -> int:
    try:
        return os.stat(file).st_blocks * 512
    except FileNotFoundError:  # it was removed just now
        return 0
