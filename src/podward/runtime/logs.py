"""What containers print, passed on to our own output as it comes.

One container: its bytes, untouched. Several: each line behind the container's name, so that lines of two containers
never mix. Output is hostile: only prefixes are added, nothing in it is interpreted.
"""

from __future__ import annotations

import os

CHUNK = 65536
LONGEST_LINE = 16384
"""A line longer than this is passed on in pieces, each with the name: a container can't make us hold its output."""


class Relay:
    """The one end of a container's stream, and where its bytes go."""

    def __init__(self, source: int, target: int, name: str = "") -> None:
        self.source = source
        self._target = target
        self._prefix = f"[{name}] ".encode() if name else b""
        self._partial = b""

    def pump(self) -> bool:
        """Pass on what there is to read; False at the end of the stream."""
        try:
            data = os.read(self.source, CHUNK)
        except BlockingIOError:
            return True
        if not data:
            self.close()
            return False
        self._write(data)
        return True

    def follow(self) -> None:
        """Pass on everything that a growing file holds so far."""
        while data := os.read(self.source, CHUNK):
            self._write(data)

    def drain(self) -> None:
        """Pass on what is still there and close: the writer is gone, or must not make us wait."""
        try:
            while data := os.read(self.source, CHUNK):
                self._write(data)
        except BlockingIOError:
            pass
        self.close()

    def close(self) -> None:
        """Pass on the last unfinished line and close our end."""
        if self.source >= 0:
            if self._partial:
                write_all(self._target, self._prefix + self._partial + b"\n")
                self._partial = b""
            os.close(self.source)
            self.source = -1

    def _write(self, data: bytes) -> None:
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


def write_all(target: int, data: bytes) -> None:
    """write(2) until everything is written."""
    view = memoryview(data)
    while view:
        view = view[os.write(target, view) :]
