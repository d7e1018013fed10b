"""Terminals: the one that a container asks for (`tty: true`), and ours, from which somebody types into it.

The OCI runtime makes the container's terminal in the container's own devpts and sends its other end over a Unix socket
(runtime spec, `process.terminal`; runc's and crun's `--console-socket`). The socket's path may have 108 bytes only, so
it is named through our descriptor of its directory.
"""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
import termios
import tty
from types import TracebackType
from typing import Self

from podward.errors import RuntimeFailedError


class ConsoleSocket:
    """Where the OCI runtime sends the container's terminal to."""

    def __init__(self, directory: str) -> None:
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.path = f"/proc/{os.getpid()}/fd/{self._directory}/console"
        self._file = f"{directory}/console"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(self.path)
        os.chmod(self._file, 0o600)
        self._socket.listen(1)

    def receive(self) -> int:
        """The terminal, once the runtime has created the container; raises RuntimeFailedError where none came."""
        self._socket.setblocking(False)
        try:
            connection, _ = self._socket.accept()
            with connection:
                connection.settimeout(10)
                _, ancillary, _, _ = connection.recvmsg(
                    4096, socket.CMSG_SPACE(struct.calcsize("i")), socket.MSG_CMSG_CLOEXEC
                )
        except OSError as error:
            raise RuntimeFailedError("it sent no terminal", where="create") from error
        received = array.array("i")
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received.frombytes(data[: len(data) - len(data) % received.itemsize])
        if not received:
            raise RuntimeFailedError("it sent no terminal", where="create")
        return received[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        os.close(self._directory)
        os.unlink(self._file)


class OwnTerminal:
    """Our terminal while a container has it: raw, so that every key reaches the container."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._before = termios.tcgetattr(descriptor)
        tty.setraw(descriptor)

    def give_size(self, to: int) -> None:
        """Make the container's terminal as large as ours."""
        size = fcntl.ioctl(self._descriptor, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(to, termios.TIOCSWINSZ, size)

    def restore(self) -> None:
        """Be as it was before."""
        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)
