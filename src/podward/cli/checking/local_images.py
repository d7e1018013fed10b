"""The images that are here, for `--fix`: what cannot be read is taken for not being here."""

from __future__ import annotations

import os

from podward.api.image import Image
from podward.errors import PodwardError
from podward.runtime.state import configured_root


class LocalImages:
    """The images of the state directory; each is read once."""

    def __init__(self) -> None:
        self._root = configured_root()
        self._known: dict[str, Image | None] = {}

    def find(self, name: str) -> Image | None:
        """The image of this name; None if it is not here."""
        if name not in self._known:
            self._known[name] = self._read(name) if os.path.isdir(f"{self._root}/images") else None
        return self._known[name]

    def _read(self, name: str) -> Image | None:
        from podward.runtime.images.store import ImageStore  # most machines that check have no images
        from podward.runtime.state import untrusted

        if untrusted(self._root):
            return None
        store = ImageStore(self._root)
        try:
            stored = store.find(name)
            return store.load(stored) if stored is not None else None
        except (PodwardError, OSError):
            return None
