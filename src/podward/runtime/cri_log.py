"""The log file of a container of a kept Pod, in the form that a kubelet's runtime writes and `kubectl logs` reads.

Specification (CRI, `LogConfig` and the kubelet's `logs.ReadLogs`, in our words): each line is

    2016-10-06T00:17:09.669794202Z stdout F the line

with the time at which it came, its stream, and F for a full line or P for a part of one whose rest follows. A line
longer than 16 KiB is written in parts.

A container can't fill the disk: as the kubelet has it done, a file of more than 10 MiB makes way for a new one, and the
four before it stay (`.1` is the newest).
"""

from __future__ import annotations

import os
import time

from podward.runtime.logs import LONGEST_LINE, write_all

LARGEST = 10 * 1024 * 1024
OLDER = 4


class LogFile:
    """An open log; its streams are `stream(name)`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._descriptor = self._open()
        self._size = 0
        self._streams = 0

    def stream(self, name: str) -> LogStream:
        """The sink of one of the container's streams: `stdout` or `stderr`. The file is closed with the last one."""
        self._streams += 1
        return LogStream(self, name.encode())

    def append(self, lines: bytes) -> None:
        """Write complete lines of the log."""
        if self._size and self._size + len(lines) > LARGEST:
            self._rotate()
        write_all(self._descriptor, lines)
        self._size += len(lines)

    def finished(self) -> None:
        """One of the streams has ended."""
        self._streams -= 1
        if self._streams == 0:
            os.close(self._descriptor)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return os.open(self._file, flags, 0o600)

    def _rotate(self) -> None:
        for number in range(OLDER, 0, -1):
            older = self._file if number == 1 else f"{self._file}.{number - 1}"
            if os.path.exists(older):
                os.replace(older, f"{self._file}.{number}")
        os.close(self._descriptor)
        self._descriptor, self._size = self._open(), 0


class LogStream:
    """One stream of a container, on its way into the log."""

    def __init__(self, log: LogFile, name: bytes) -> None:
        self._log = log
        self._name = name
        self._partial = b""

    def write(self, data: bytes) -> None:
        """Write the lines that are complete, and parts of one that grows too long."""
        now = stamp(time.time_ns())
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        written = [self._entry(now, line, b"F") for line in lines]
        while len(self._partial) > LONGEST_LINE:
            written.append(self._entry(now, self._partial[:LONGEST_LINE], b"P"))
            self._partial = self._partial[LONGEST_LINE:]
        if written:
            self._log.append(b"".join(written))

    def finish(self) -> None:
        """Write the last unfinished line, as a part of a line that will never be whole."""
        if self._partial:
            self._log.append(self._entry(stamp(time.time_ns()), self._partial, b"P"))
            self._partial = b""
        self._log.finished()

    def _entry(self, now: bytes, line: bytes, tag: bytes) -> bytes:
        parts = [line[at : at + LONGEST_LINE] for at in range(0, len(line), LONGEST_LINE)] or [b""]
        tags = [b"P"] * (len(parts) - 1) + [tag]
        return b"".join(
            b"%b %b %b %b\n" % (now, self._name, each, part) for each, part in zip(tags, parts, strict=True)
        )


def stamp(nanoseconds: int) -> bytes:
    """The time as RFC 3339 with nanoseconds, in UTC."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09d}Z".encode()
