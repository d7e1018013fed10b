"""Reading the log of a container, as `kubectl logs` shows it.

Specification: Kubernetes, k8s.io/cri-client, pkg/logs ReadLogs, in our words: lines of both streams in the order in
which they came; `tail` counts lines of the file from its end, also parts of lines; lines from before `since` are left
out; with timestamps each line begins with its time; a limit of bytes ends the reading in the middle of a line.
Following goes on while the container runs, and then to the end of the file; a file that made way for a new one is
read to its end first. Only the newest file of a run is read. What is in it is hostile: it is passed on as it is.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime

from msgspec import Struct

_BLOCK = 64 << 10
_LONGEST_LINE = 1 << 20
_SHORTEST, _LONGEST = 0.05, 0.5
"""Seconds between two looks at a file that is followed."""
_PART, _STREAMS = b"P", frozenset((b"stdout", b"stderr"))


class LogOptions(Struct, frozen=True):
    """What of a log is wanted; None where nothing is said. `since` is in nanoseconds since 1970."""

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: int = 0
    tail: int | None = None
    limit: int | None = None
    streams: frozenset[bytes] = _STREAMS


class LogReader:
    """The lines of a log file, as they are to be shown. `running` says whether more may come."""

    def __init__(self, file: str, options: LogOptions, running: Callable[[], Awaitable[bool]]) -> None:
        """Open it. Raises OSError."""
        self._file = file
        self._options = options
        self._running = running
        self._descriptor = self._open()
        self._rest = b""
        self._left = options.limit
        self._begins = True
        self._lines = options.tail if options.tail is not None and not options.follow else None

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """What is to be shown, as it comes."""
        try:
            if self._options.tail is not None:
                os.lseek(self._descriptor, tail_start(self._descriptor, self._options.tail), os.SEEK_SET)
            pause, ended = _SHORTEST, False
            while self._left != 0 and self._lines != 0:
                data = os.read(self._descriptor, _BLOCK)
                if data:
                    pause = _SHORTEST
                    if shown := self._shown(data):
                        yield shown
                    await asyncio.sleep(0)
                elif self._renewed():
                    continue
                elif not self._options.follow or ended:
                    break
                else:
                    ended = not await self._running()
                    if not ended:
                        await asyncio.sleep(pause)
                        pause = min(2 * pause, _LONGEST)
            if self._rest and self._left != 0 and self._lines != 0:
                yield self._line(self._rest, b"")
        finally:
            self.close()

    def close(self) -> None:
        """Close the file, once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> int:
        return os.open(self._file, os.O_RDONLY | os.O_CLOEXEC)

    def _renewed(self) -> bool:
        """Whether the file has made way for a new one, which is read from now on."""
        if not self._options.follow:
            return False
        try:
            if os.stat(self._file).st_ino == os.fstat(self._descriptor).st_ino:
                return False
            descriptor = self._open()
        except OSError:
            return False
        os.close(self._descriptor)
        self._descriptor = descriptor
        return True

    def _shown(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:  # no runtime writes such a line
            self._rest = b""
        found = []
        for line in lines:
            if self._left == 0 or self._lines == 0:
                break
            found.append(self._line(line, b"\n"))
        return b"".join(found)

    def _line(self, line: bytes, end: bytes) -> bytes:
        """A line of the file as it is shown."""
        entry = entry_of(line, end)
        if entry is None:
            return b""
        if self._lines is not None:
            self._lines -= 1
        begins, self._begins = self._begins, not entry.text or entry.text.endswith(b"\n")
        if self._options.since and entry.nanoseconds() < self._options.since:
            return b""
        shown = entry.text
        if self._options.timestamps and begins:
            shown = entry.time + b" " + shown
        if entry.stream not in self._options.streams:
            return b""
        if self._left is not None:
            shown = shown[: self._left]
            self._left -= len(shown)
        return shown


class Entry(Struct, frozen=True):
    """A line of a log file: when it came, on which stream, and what was printed, with its end if it has one."""

    time: bytes
    stream: bytes
    text: bytes

    def nanoseconds(self) -> int:
        """When it came, since 1970; 0 where that cannot be read."""
        return nanoseconds_of(self.time.decode("ascii", "replace")) or 0


def entry_of(line: bytes, end: bytes) -> Entry | None:
    """A line of a file; None where it is no line of a log."""
    time, _, rest = line.partition(b" ")
    stream, _, rest = rest.partition(b" ")
    tag, space, text = rest.partition(b" ")
    time = time.removesuffix(b"+00:00") + b"Z" if time.endswith(b"+00:00") else time
    if stream not in _STREAMS or not space or not time[:1].isdigit():
        return None
    return Entry(time, stream, text if tag.split(b":")[0] == _PART else text + end)


def nanoseconds_of(written: str) -> int | None:
    """A time of RFC 3339 in nanoseconds since 1970; None where it is none."""
    whole, dot, rest = written.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if dot else ""
    zone = rest[len(digits) :] if dot else ""
    try:
        seconds = datetime.fromisoformat(whole + zone)
    except ValueError:
        return None
    if seconds.tzinfo is None:
        return None
    return int(seconds.timestamp()) * 10**9 + int(digits[:9].ljust(9, "0") or 0)


def tail_start(descriptor: int, lines: int) -> int:
    """Where the last lines of a file begin."""
    end = size = os.fstat(descriptor).st_size
    if lines <= 0:
        return size
    wanted = lines + 1  # the end of the last line is no line's beginning
    while end > 0:
        begin = max(0, end - _BLOCK)
        block = os.pread(descriptor, end - begin, begin)
        if end == size and not block.endswith(b"\n"):
            wanted -= 1
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
            if wanted == 0:
                return begin + at + 1
        end = begin
    return 0
