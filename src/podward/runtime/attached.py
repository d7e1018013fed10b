"""Our standard input and the container that has it: the first one that asks, and each of its runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from podward.runtime.container import ContainerRun
from podward.runtime.event_loop import EventLoop
from podward.runtime.stdin import StandardInput

if TYPE_CHECKING:
    from podward.runtime.consoles import OwnTerminal


class Attached:
    """The attachment of the descriptor `source`. Our own terminal is raw while a container's terminal has it."""

    def __init__(self, loop: EventLoop, source: int) -> None:
        self._source = source
        self._input = StandardInput(loop, source)
        self._container: ContainerRun | None = None
        self._terminal: OwnTerminal | None = None

    def attach(self, container: ContainerRun) -> None:
        """The container runs; it is attached if no other one is."""
        if container.input is None or self._container not in (None, container):
            return
        self._container = container
        if container.input.terminal and os.isatty(self._source):
            from podward.runtime.consoles import OwnTerminal

            self._terminal = OwnTerminal(self._source)
            self.resize()
        self._input.give_to(container.input)

    def detach(self, container: ContainerRun) -> None:
        """The container has ended; its next run is attached again."""
        if container is self._container:
            self._input.take_back()
            self.restore()

    def resize(self) -> None:
        """Our terminal has another size now."""
        if self._terminal is not None and self._container is not None and self._container.input is not None:
            self._terminal.give_size(self._container.input.descriptor)

    def restore(self) -> None:
        """Our terminal is as it was."""
        if self._terminal is not None:
            self._terminal.restore()
            self._terminal = None
