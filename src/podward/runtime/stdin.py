"""The caller's standard input, passed on to the container that asks for it.

The container gets a pipe, or its terminal, never our descriptor: through that it could open our file anew, or type into
our terminal.
"""

from __future__ import annotations

import errno
import os
import select

from podward.runtime.event_loop import EventLoop
from podward.runtime.logs import CHUNK

END_OF_INPUT = b"\x04"
"""What a terminal takes for the end of input at the beginning of a line, and for the end of a line within it."""


class ContainerInput:
    """Our end of a container's standard input: of a pipe, or a descriptor of its own of the container's terminal."""

    def __init__(self, descriptor: int, *, terminal: bool) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.terminal = terminal

    def close(self) -> None:
        """Let who reads from a pipe see the end; a terminal's end is told by `END_OF_INPUT`."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


class StandardInput:
    """Reads `source` and writes to the container that has it at the moment."""

    def __init__(self, loop: EventLoop, source: int) -> None:
        self._loop = loop
        self._source = source
        self._to: ContainerInput | None = None
        self._waiting = b""
        self._last = b"\n"
        self._ended = False

    @property
    def to(self) -> ContainerInput | None:
        """The container's input that it is passed on to."""
        return self._to

    def give_to(self, container: ContainerInput) -> None:
        """Pass on from now on to this container."""
        self._to = container
        if self._ended:
            self._loop.watch(container.descriptor, self._write, select.POLLOUT)
        else:
            self._loop.watch(self._source, self._read)

    def take_back(self) -> None:
        """The container has ended; what it has not read is lost with it."""
        if self._to is not None:
            self._loop.forget(self._source)
            self._loop.forget(self._to.descriptor)
            self._to, self._waiting = None, b""

    def _read(self, source: int) -> None:
        try:
            self._waiting = os.read(source, CHUNK)
        except OSError:  # a directory, or a terminal that is gone
            self._waiting = b""
        self._ended = not self._waiting
        self._last = self._waiting[-1:] or self._last
        self._loop.forget(source)
        if self._to is not None:
            self._loop.watch(self._to.descriptor, self._write, select.POLLOUT)

    def _write(self, _: int) -> None:
        """Pass on what was read; then read more, or tell the end."""
        to = self._to
        if to is None:
            return
        try:
            self._send(to)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            self._waiting, self._ended = b"", True  # it reads no more
        if not self._waiting:
            self._loop.forget(to.descriptor)
            if self._ended:
                to.close()
            else:
                self._loop.watch(self._source, self._read)

    def _send(self, to: ContainerInput) -> None:
        if self._waiting:
            self._waiting = self._waiting[os.write(to.descriptor, self._waiting) :]
        elif to.terminal:
            os.write(to.descriptor, END_OF_INPUT if self._last == b"\n" else END_OF_INPUT * 2)
