"""A command that `warm_command.start` has begun, with what tests use of `subprocess.Popen`."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

_PART = 1 << 16


def ended(status: bytes) -> int:
    """What `Popen.returncode` says of a status that waitpid(2) has given."""
    if not status:
        raise RuntimeError("the process that forks commands has ended")
    return os.waitstatus_to_exitcode(int.from_bytes(status))


class WarmProcess:
    """A process that is another one's child; the connection is to that one, and tells first the pid, then the end."""

    def __init__(self, args: Sequence[str], connection: socket.socket, stdout: int, stderr: int) -> None:
        self.args = args
        self.returncode: int | None = None
        self.stdin = None
        self.stdout = os.fdopen(stdout, encoding="utf-8")
        self.stderr = os.fdopen(stderr, encoding="utf-8") if stderr >= 0 else None
        self._connection = connection
        self.pid = int.from_bytes(connection.recv(4, socket.MSG_WAITALL))

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                status = self._connection.recv(4)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self._connection.close()
            self.returncode = ended(status)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """What it has written since it was read last, once it has ended."""
        deadline = None if timeout is None else time.monotonic() + timeout
        said = {stream.fileno(): bytearray() for stream in self._streams()}
        with selectors.DefaultSelector() as waiting:
            for number in said:
                waiting.register(number, selectors.EVENT_READ)
            while waiting.get_map():
                ready = waiting.select(None if deadline is None else max(0, deadline - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                for key, _ in ready:
                    part = os.read(key.fd, _PART)
                    said[key.fd] += part
                    if not part:
                        waiting.unregister(key.fd)
        texts = {}
        for name, stream in (("out", self.stdout), ("err", self.stderr)):
            if stream is not None and not stream.closed:
                with stream:
                    texts[name] = stream.read() + said[stream.fileno()].decode()  # it may have read more than a line
        self.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        return texts.get("out", ""), texts.get("err", "")

    def _streams(self) -> list[TextIO]:
        return [stream for stream in (self.stdout, self.stderr) if stream is not None and not stream.closed]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams():
            stream.close()
        self.wait()
