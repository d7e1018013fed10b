"""A session: the streams of a process in a container, whoever runs it, for whoever speaks with a client.

Specification (what containerd does with exec and attach, in our words): output is read until all who may write it have
closed it; the end of the process alone does not end it. Input that the process no longer reads is thrown away. A
terminal has one output, cannot be told the end of its input, and has a size. Closing a session closes our descriptors:
the process finds its input ended and its output broken, or its terminal hung up; nobody signals it.

`DescriptorSession` has pipes or a terminal's master, `AttachedSession` (attached.py) a monitor's socket.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from enum import IntEnum
from typing import Protocol

from msgspec import Struct

CHUNK = 64 << 10
"""The most that is read at once, and so what is held of an output that nobody takes."""
MAX_SIDE = 0xFFFF


class Output(IntEnum):
    """A process's outputs, by their descriptors."""

    STDOUT = 1
    STDERR = 2


class Exit(Struct, frozen=True):
    """How it ended: with a code, or, where there is none, why not."""

    code: int = 0
    failure: str = ""


Exited = Callable[[], Awaitable[Exit]]
"""Awaits a process's end. It is asked once, or never."""


class Session(Protocol):
    """A process's streams. One reads, one writes; both may be cancelled. `close` is called once, at the end."""

    async def read(self) -> tuple[Output, bytes] | None:
        """What it printed next; None at the end of all output."""

    async def write(self, data: bytes) -> None:
        """Give it all of this to read; returns once it is taken."""

    def close_stdin(self) -> None:
        """Nothing more is to be read."""

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has this size now; without a terminal nothing happens."""

    async def wait(self) -> Exit:
        """Its end; asked for when its output has ended."""

    def close(self) -> None:
        """Give up all descriptors."""


class DescriptorSession:
    """A process on pipes: `stdin`, `stdout` and `stderr` are our ends, -1 for none. They are closed by `close`.

    `exited` is asked for its end; `released` is told when the session is closed.
    """

    def __init__(
        self,
        exited: Exited,
        *,
        stdin: int = -1,
        stdout: int = -1,
        stderr: int = -1,
        released: Callable[[], None] = lambda: None,
    ) -> None:
        self._exited = exited
        self._released = released
        self._stdin = stdin
        self._outputs = {
            descriptor: output
            for descriptor, output in ((stdout, Output.STDOUT), (stderr, Output.STDERR))
            if descriptor >= 0
        }
        for descriptor in (stdin, *self._outputs):
            if descriptor >= 0:
                os.set_blocking(descriptor, False)

    async def read(self) -> tuple[Output, bytes] | None:
        """What it printed next; None once every output has ended."""
        while self._outputs:
            for descriptor, output in list(self._outputs.items()):
                data = _read(descriptor)
                if data:
                    self._outputs[descriptor] = self._outputs.pop(descriptor)  # the other one's turn comes first now
                    return output, data
                if data is not None:
                    del self._outputs[descriptor]
                    os.close(descriptor)
            if self._outputs:
                await _readable(self._outputs)
        return None

    async def write(self, data: bytes) -> None:
        """Give it all of this to read. What it does not want any more is thrown away."""
        rest = memoryview(data)
        while rest and self._stdin >= 0:
            try:
                rest = rest[os.write(self._stdin, rest) :]
            except BlockingIOError:
                await _writable(self._stdin)
            except OSError:  # EPIPE: it has closed its input, or ended
                self.close_stdin()

    def close_stdin(self) -> None:
        """Nothing more is to be read."""
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def resize(self, columns: int, rows: int) -> None:
        """There is no terminal."""

    async def wait(self) -> Exit:
        """Its end."""
        return await self._exited()

    def close(self) -> None:
        """Give up all descriptors."""
        self.close_stdin()
        while self._outputs:
            os.close(self._outputs.popitem()[0])
        self._released()


class TerminalSession(DescriptorSession):
    """A process on a terminal, whose master is `terminal`; without `stdin` nothing is typed into it."""

    def __init__(self, exited: Exited, terminal: int, *, released: Callable[[], None] = lambda: None) -> None:
        super().__init__(exited, stdin=os.dup(terminal), stdout=terminal, released=released)
        self._size = terminal

    def close_stdin(self) -> None:
        """A terminal's input has no end: what was typed may still be on its way."""

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has this size now."""
        if 0 < columns <= MAX_SIDE and 0 < rows <= MAX_SIDE and self._outputs:
            with suppress(OSError):  # hung up
                fcntl.ioctl(self._size, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        """Hang up, if nobody else has the terminal."""
        super().close_stdin()
        super().close()


def _read(descriptor: int) -> bytes | None:
    """What is there; nothing at the end, None where more may come."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None
    except OSError:  # EIO: everybody has closed the terminal
        return b""


async def _readable(descriptors: Iterable[int]) -> None:
    """Return when one of them has something, or its end."""
    loop = asyncio.get_running_loop()
    await _ready(list(descriptors), loop.add_reader, loop.remove_reader)


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    await _ready([descriptor], loop.add_writer, loop.remove_writer)


async def _ready(
    descriptors: list[int], add: Callable[[int, Callable[[], None]], None], remove: Callable[[int], bool]
) -> None:
    ready = asyncio.Event()
    for descriptor in descriptors:
        add(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        for descriptor in descriptors:
            remove(descriptor)
