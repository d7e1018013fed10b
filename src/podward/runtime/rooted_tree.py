"""A container's tree before there is a container: its root, with the mounts that it will have.

Paths are walked inside the container's root component by component, each opened without following links, so that
nothing in an image or a volume leads outside (path_resolution(7)). Links, absolute ones too, and `..` are taken as the
process will take them, across the bind mounts that the container will have. Nothing is opened for more than its path.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

MOST_LINKS = 40
"""Linux `MAXSYMLINKS`."""


class RootedTree:
    """The container's tree as the process will see it: its root with its mounts."""

    def __init__(self, rootfs: str, mounts: tuple[tuple[str, str], ...]) -> None:
        self._root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._mounts: dict[tuple[str, ...], str] = {}
        self.landed: list[tuple[str, ...]] = []
        """Where each of the mounts lands: the names of the place that its destination leads to."""
        for destination, source in mounts:
            names = self._destination(destination)
            self._mounts = {at: source_ for at, source_ in self._mounts.items() if at[: len(names)] != names}
            self._mounts[names] = source
            self.landed.append(names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._root)

    def open(self, path: str) -> tuple[int, str] | None:
        """An O_PATH descriptor of what `path` leads to, and its path without links; None if it leads nowhere."""
        walk = _Walk(self._root, self._mounts)
        try:
            return walk.follow(path)
        finally:
            walk.close()

    def mode(self, path: str) -> int:
        """`st_mode` of what `path` leads to; 0 if it leads nowhere."""
        found = self.open(path)
        if found is None:
            return 0
        try:
            return os.fstat(found[0]).st_mode
        finally:
            os.close(found[0])

    def place(self, path: str) -> tuple[tuple[str, ...], int]:
        """The names of the place that `path` leads to, and its `st_mode`; 0 if it is not there, or not known yet."""
        walk = _Walk(self._root, self._mounts)
        try:
            return walk.reach(path), walk.mode()
        finally:
            walk.close()

    def _destination(self, destination: str) -> tuple[str, ...]:
        """Where a mount lands: links on the way are followed, as far as there is a way."""
        walk = _Walk(self._root, self._mounts)
        try:
            return walk.reach(destination)
        finally:
            walk.close()


class _Walk:
    """One walk through the tree: the names so far, each with its open descriptor (-1: the runtime will make it)."""

    def __init__(self, root: int, mounts: dict[tuple[str, ...], str]) -> None:
        self._root = root
        self._mounts = mounts
        self._names: list[str] = []
        self._opened: list[int] = []
        self._links = 0

    def close(self) -> None:
        """Close what the walk opened."""
        while self._opened:
            self._leave()

    def follow(self, path: str) -> tuple[int, str] | None:
        """The place that `path` leads to, its descriptor being the caller's."""
        if not self._go(path, make=False):
            return None
        here = self._here()
        if here < 0:
            return None
        return os.dup(here), "/" + "/".join(self._names)

    def mode(self) -> int:
        """`st_mode` of where the walk is; 0 if nothing is there yet."""
        here = self._here()
        return os.fstat(here).st_mode if here >= 0 else 0

    def reach(self, path: str) -> tuple[str, ...]:
        """The names of the place that `path` leads to, with those that do not exist yet."""
        self._go(path, make=True)
        return tuple(self._names)

    def _go(self, path: str, *, make: bool) -> bool:
        pending = path.split("/")[::-1]
        while pending:
            name = pending.pop()
            if name == "..":
                if self._names:
                    self._leave()
            elif name not in ("", "."):
                link = self._enter(name, make=make)
                if link is None:
                    return False
                if link:
                    self._links += 1
                    if self._links > MOST_LINKS:
                        return False
                    if link.startswith("/"):
                        self.close()
                    pending += link.split("/")[::-1]
            if pending[:1] == [""] and len(pending) == 1 and self._is_file():
                return False  # a trailing slash needs a directory
        return True

    def _enter(self, name: str, *, make: bool) -> str | None:
        """Step to `name`: "" on success, a link's target if it is a link, None if there is no such thing."""
        place = (*self._names, name)
        try:
            descriptor = self._open(name, place)
        except OSError:
            if not make and not any(at[: len(place)] == place for at in self._mounts):
                return None
            descriptor = -1
        if descriptor >= 0 and stat.S_ISLNK(os.fstat(descriptor).st_mode):
            try:
                return os.readlink("", dir_fd=descriptor)
            finally:
                os.close(descriptor)
        self._names.append(name)
        self._opened.append(descriptor)
        return ""

    def _open(self, name: str, place: tuple[str, ...]) -> int:
        source = self._mounts.get(place)
        if source is not None:
            return os.open(source, os.O_PATH | os.O_CLOEXEC) if source else -1
        here = self._here()
        if here < 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)

    def _here(self) -> int:
        return self._opened[-1] if self._opened else self._root

    def _is_file(self) -> bool:
        here = self._here()
        return here >= 0 and not stat.S_ISDIR(os.fstat(here).st_mode)

    def _leave(self) -> None:
        self._names.pop()
        descriptor = self._opened.pop()
        if descriptor >= 0:
            os.close(descriptor)
