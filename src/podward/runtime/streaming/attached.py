"""A session with the container itself, through its monitor's socket.

Specification (conmon 2.1, `conn_sock.c` and `ctrl.c`, in our words): the bundle's `attach` is a socket of packets. The
first byte of a packet from the monitor tells the output that it is of, 2 stdout and 3 stderr; packets to it are input,
and what of one is more than its buffer of 32 KiB is lost. When the writing half of a connection ends, the monitor
closes the container's input, unless it was started with --leave-stdin-open. A line `1 ROWS COLUMNS` into the fifo `ctl`
gives the terminal a size.

Whose input ends (containerd's attach): that of a container with `stdin_once` and no terminal. Of any other container
only the session ends, and the next one goes on with its input.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

from podward.errors import RuntimeFailedError
from podward.runtime.streaming.sessions import CHUNK, Exit, Output

_OUTPUTS = {2: Output.STDOUT, 3: Output.STDERR}
_PACKET = 16 << 10
_MAX_SIDE = 1000
"""Newer monitors take no larger terminals."""
_TRIES = 100


class AttachedSession:
    """The container whose monitor listens in `directory`; `ends_input`: when our input ends, the container's does."""

    def __init__(self, directory: int, connection: socket.socket, *, ends_input: bool) -> None:
        self._directory = directory
        self._connection = connection
        self._ends_input = ends_input
        self._control = -1

    async def read(self) -> tuple[Output, bytes] | None:
        """What it printed next; None once it has ended, or we have."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                packet = await loop.sock_recv(self._connection, CHUNK)
            except ConnectionError:
                return None
            if not packet:
                return None
            if packet[0] in _OUTPUTS and len(packet) > 1:
                return _OUTPUTS[packet[0]], packet[1:]

    async def write(self, data: bytes) -> None:
        """Give it all of this to read; what it has no reader for is thrown away."""
        loop = asyncio.get_running_loop()
        for start in range(0, len(data), _PACKET):
            try:
                await loop.sock_sendall(self._connection, data[start : start + _PACKET])
            except ConnectionError:
                return

    def close_stdin(self) -> None:
        """Nothing more is to be read: the container's input ends, or this session does."""
        with suppress(OSError):  # the container has ended
            self._connection.shutdown(socket.SHUT_WR if self._ends_input else socket.SHUT_RDWR)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has this size now."""
        if not (0 < columns <= _MAX_SIDE and 0 < rows <= _MAX_SIDE):
            return
        with suppress(OSError):  # no monitor reads it any more, or too much waits in it
            if self._control < 0:
                flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW
                self._control = os.open("ctl", flags, dir_fd=self._directory)
            os.write(self._control, b"1 %d %d\n" % (rows, columns))

    async def wait(self) -> Exit:
        """To be attached has no exit code."""
        return Exit()

    def close(self) -> None:
        """Give up all descriptors."""
        self._connection.close()
        os.close(self._directory)
        if self._control >= 0:
            os.close(self._control)


async def attach(bundle: str, *, stdin_once: bool, tty: bool) -> AttachedSession:
    """Attach to the container of this bundle. Raises RuntimeFailedError where no monitor listens."""
    with suppress(FileNotFoundError):
        directory = os.open(bundle, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            # A socket's address has 108 bytes, a bundle's path may have more.
            if await _connected(connection, f"/proc/self/fd/{directory}/attach"):
                return AttachedSession(directory, connection, ends_input=stdin_once and not tty)
        except BaseException:
            connection.close()
            os.close(directory)
            raise
        connection.close()
        os.close(directory)
    raise RuntimeFailedError("the container is not running", advice="attach to a container that runs")


async def _connected(connection: socket.socket, address: str) -> bool:
    for _ in range(_TRIES):
        try:
            connection.connect(address)
        except BlockingIOError:  # as many as it takes wait for the monitor already
            await asyncio.sleep(0.05)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        else:
            return True
    return False
