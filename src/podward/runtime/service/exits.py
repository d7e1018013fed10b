"""Hears of containers' ends: monitors write an exit code into a file of the exits directory, which inotify(7) tells."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Callable, Iterator

from podward.runtime import syscalls
from podward.runtime.service.records import is_id

_EVENT = struct.Struct("iIII")
_ENOUGH = 1 << 16


class ExitWatch:
    """Calls each of `ended` with a container's id when its exit code has been written."""

    def __init__(self, directory: str, *ended: Callable[[str], None]) -> None:
        self._directory = directory
        self._descriptor = syscalls.inotify(directory, syscalls.IN_MOVED_TO | syscalls.IN_CLOSE_WRITE)
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """Hear no more."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> None:
        try:
            content = os.read(self._descriptor, _ENOUGH)
        except BlockingIOError:
            return
        lost = any(mask & syscalls.IN_Q_OVERFLOW for mask, _ in _events(content))
        for name in os.listdir(self._directory) if lost else dict.fromkeys(name for _, name in _events(content)):
            if is_id(name):
                for ended in self._ended:
                    ended(name)


def _events(content: bytes) -> Iterator[tuple[int, str]]:
    at = 0
    while at + _EVENT.size <= len(content):
        _, mask, _, length = _EVENT.unpack_from(content, at)
        at += _EVENT.size
        yield mask, content[at : at + length].rstrip(b"\0").decode("ascii", "replace")
        at += length
