"""What containers wrote to their root file systems: a walk through their files tells, which may be long.

So it is kept for a while, and counted in a thread of its own that nobody waits for without an end.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from msgspec import Struct

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MOST_LEVELS = 200


class LayerSize(Struct, frozen=True):
    """What a directory holds: bytes and files, when that was counted, and how much is free where it is."""

    used: int = 0
    inodes: int = 0
    counted_at: int = 0
    limit: int = 0
    inodes_total: int = 0
    inodes_free: int = 0


class LayerSizes:
    """The sizes of containers' writable layers, counted in a thread of their own: there may be millions of files.

    Each is counted anew where it is older than `seconds`, and than twenty times as long as the count took.
    """

    def __init__(self, seconds: float = 10.0, patience: float = 1.0) -> None:
        self._seconds = seconds
        self._patience = patience
        self._known: dict[str, tuple[LayerSize, float]] = {}
        self._counted: dict[str, Future[tuple[LayerSize, float]]] = {}
        self._thread = ThreadPoolExecutor(1, "podward-sizes")

    def close(self) -> None:
        """Count nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def refresh(self, directories: Iterable[str]) -> None:
        """Have these counted that are not fresh, waiting for all of them together no longer than the patience lasts."""
        stale = [directory for directory in directories if not self._is_fresh(directory)]
        for directory in stale:
            if directory not in self._counted:
                self._counted[directory] = self._thread.submit(_timed, directory)
        wait([self._counted[directory] for directory in stale], self._patience)
        for directory, counted in tuple(self._counted.items()):
            if counted.done() and not counted.cancelled():
                self._known[directory] = counted.result()
                del self._counted[directory]

    def of(self, directory: str) -> LayerSize:
        """What the directory held when it was counted; nothing where that is not known yet."""
        return self._known.get(directory, (LayerSize(), 0.0))[0]

    def keep_only(self, directories: Iterable[str]) -> None:
        """Forget what is gone."""
        wanted = set(directories)
        self._known = {directory: size for directory, size in self._known.items() if directory in wanted}

    def _is_fresh(self, directory: str) -> bool:
        if directory not in self._known:
            return False
        size, took = self._known[directory]
        return time.time_ns() - size.counted_at < max(self._seconds, 20 * took) * 1e9


def _timed(directory: str) -> tuple[LayerSize, float]:
    began = time.monotonic()
    size = measure(directory)
    return size, time.monotonic() - began


def measure(directory: str) -> LayerSize:
    """What the directory holds. No link in it leads elsewhere, and a file with several names counts once.

    A container may nest directories without an end: what is deeper than MOST_LEVELS is not counted.
    """
    seen, now = set[tuple[int, int]](), time.time_ns()
    try:
        room = os.statvfs(directory)
        used = _bytes_in(directory, None, seen, MOST_LEVELS)
    except OSError:
        return LayerSize(counted_at=now)
    return LayerSize(used, len(seen), now, room.f_blocks * room.f_frsize, room.f_files, room.f_ffree)


def _bytes_in(name: str, above: int | None, seen: set[tuple[int, int]], levels: int) -> int:
    """Bytes on disk of what is in a directory, each open while those in it are."""
    used, inner = 0, list[str]()
    here = os.open(name, _DIRECTORY, dir_fd=above)
    try:
        with os.scandir(here) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # it was removed meanwhile
                    facts = entry.stat(follow_symlinks=False)
                    if (facts.st_dev, facts.st_ino) not in seen:
                        seen.add((facts.st_dev, facts.st_ino))
                        used += facts.st_blocks * 512
                        inner += [entry.name] if stat.S_ISDIR(facts.st_mode) and levels else []
        for each in inner:
            with contextlib.suppress(OSError):
                used += _bytes_in(each, here, seen, levels - 1)
    finally:
        os.close(here)
    return used
