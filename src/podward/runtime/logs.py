"""What containers print, passed on as it comes: to our own output, or into a log file.

To our own output: the bytes of one container untouched; of several, each line behind the container's name, so that
lines of two containers never mix. Output is hostile: only prefixes are added, nothing in it is interpreted.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Protocol

CHUNK = 65536
LONGEST_LINE = 16384
"""A line longer than this is passed on in pieces, each with the name: a container can't make us hold its output."""


class Sink(Protocol):
    """Where the bytes of one stream go."""

    def write(self, data: bytes) -> None:
        """Take what was printed."""

    def finish(self) -> None:
        """Nothing more will come."""


class Relay:
    """Our end of a container's stream, and where its bytes go."""

    def __init__(self, source: int, sink: Sink) -> None:
        self.source = source
        self._sink = sink

    def pump(self) -> bool:
        """Pass on what there is to read; False at the end of the stream."""
        try:
            data = _read(self.source)
        except BlockingIOError:
            return True
        if not data:
            self.close()
            return False
        self._sink.write(data)
        return True

    def drain(self) -> None:
        """Pass on what is still there and close: the writer is gone, or must not make us wait."""
        try:
            while data := _read(self.source):
                self._sink.write(data)
        except BlockingIOError:
            pass
        self.close()

    def close(self) -> None:
        """Pass on the last unfinished line and close our end."""
        if self.source >= 0:
            self._sink.finish()
            os.close(self.source)
            self.source = -1


def _read(source: int) -> bytes:
    """Some bytes; none at the end of a stream, which a terminal tells with an error (EIO) once nobody has it open."""
    try:
        return os.read(source, CHUNK)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


class Output:
    """A descriptor of ours: the bytes untouched or, with a name, each line behind it."""

    def __init__(self, target: int, name: str = "") -> None:
        self._target = target
        self._prefix = f"[{name}] ".encode() if name else b""
        self._partial = b""

    def write(self, data: bytes) -> None:
        """Pass on the bytes, or the lines that are complete."""
        if not self._prefix:
            write_all(self._target, data)
            return
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        while len(self._partial) > LONGEST_LINE:
            lines.append(self._partial[:LONGEST_LINE])
            self._partial = self._partial[LONGEST_LINE:]
        if lines:
            write_all(self._target, b"".join(self._prefix + line + b"\n" for line in lines))

    def finish(self) -> None:
        """Pass on the last unfinished line."""
        if self._partial:
            write_all(self._target, self._prefix + self._partial + b"\n")
            self._partial = b""


_DENIALS = (b"denied", b"not permitted", b"EACCES", b"EPERM")


class WatchedOutput:
    """A sink that also shows lines to somebody where they tell that the kernel has denied something.

    Programs write a line in pieces: it is looked at once it is complete, or nothing more comes.
    """

    def __init__(self, sink: Sink, seen: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._seen = seen
        self._partial = b""

    def write(self, data: bytes) -> None:
        """Pass the bytes on."""
        self._sink.write(data)
        lines, end, self._partial = (self._partial + data).rpartition(b"\n")
        self._partial = self._partial[-LONGEST_LINE:]
        self._look(lines + end)

    def finish(self) -> None:
        """Nothing more will come."""
        self._sink.finish()
        self._look(self._partial)
        self._partial = b""

    def _look(self, lines: bytes) -> None:
        if any(word in lines for word in _DENIALS):
            self._seen(lines)


def write_all(target: int, data: bytes) -> None:
    """write(2) until everything is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
