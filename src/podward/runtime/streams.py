"""A container's standard streams: pipes, or a terminal, between it and us.

Specification (CRI: `stdin`, `stdin_once`, `tty`, in our words): a container that does not ask for standard input reads
from /dev/null. One that asks has a pipe that stays open until who is attached says that it ends. A container with a
terminal has it for all three; what it prints is then one stream.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from podward.api.core import Container
from podward.runtime.logs import Relay, Sink
from podward.runtime.oci import Streams

if TYPE_CHECKING:
    from podward.runtime.consoles import ConsoleSocket
    from podward.runtime.stdin import ContainerInput


class ContainerStreams:
    """Our ends are `relays` and `input`; `given` is what the OCI runtime gives to the container.

    `directory` is the attempt's. Once the runtime has created the container, `created` takes its terminal; `release`
    closes what is the container's alone, also where it could not be created.
    """

    def __init__(self, directory: str, container: Container, stdout: Sink, stderr: Sink) -> None:
        self.relays: dict[int, Relay] = {}
        self.input: ContainerInput | None = None
        self._wants_input = bool(container.stdin)
        self._stdout = stdout
        self._console: ConsoleSocket | None = None
        self._cleanup = ExitStack()
        if container.tty:
            from podward.runtime.consoles import ConsoleSocket  # few containers have one, and start-up counts

            self._console = self._cleanup.enter_context(ConsoleSocket(directory))
            self.given = Streams(console=self._console.path)
        else:
            self.given = Streams(self._pipe_from_us(), self._pipe_to(stdout), self._pipe_to(stderr))

    def created(self) -> None:
        """The container is there."""
        if self._console is not None:
            terminal = self._console.receive()
            self._relay(terminal, self._stdout)
            self._take_input(os.dup(terminal), terminal=True)

    def release(self) -> None:
        """The container has its ends now, or never will."""
        self._cleanup.close()

    def _pipe_from_us(self) -> int:
        if not self._wants_input:
            return -1
        read, write = os.pipe2(os.O_CLOEXEC)
        self._cleanup.callback(os.close, read)
        self._take_input(write, terminal=False)
        return read

    def _take_input(self, descriptor: int, *, terminal: bool) -> None:
        from podward.runtime.stdin import ContainerInput

        self.input = ContainerInput(descriptor, terminal=terminal)
        if not self._wants_input:
            self.input.close()

    def _pipe_to(self, sink: Sink) -> int:
        read, write = os.pipe2(os.O_CLOEXEC)
        self._cleanup.callback(os.close, write)
        self._relay(read, sink)
        return write

    def _relay(self, source: int, sink: Sink) -> None:
        os.set_blocking(source, False)
        self.relays[source] = Relay(source, sink)
