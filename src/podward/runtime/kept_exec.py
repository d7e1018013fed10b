"""Running a program in a container of a kept Pod, from another process than the Pod's monitor."""

from __future__ import annotations

import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from podward.api.core import Container as ContainerSpec
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import kept, processes, syscalls
from podward.runtime.event_loop import EventLoop
from podward.runtime.execution import Execution
from podward.runtime.kept import Container, Kept
from podward.runtime.logs import Output
from podward.runtime.state import State
from podward.runtime.stdin import StandardInput
from podward.runtime.streams import ContainerStreams

if TYPE_CHECKING:
    from podward.runtime.consoles import OwnTerminal


class Program:
    """A command in a running container of a kept Pod."""

    def __init__(self, state: State, pod: Kept, container: Container, command: tuple[str, ...]) -> None:
        join_mounts(pod)
        syscalls.become_subreaper()
        self._execution = Execution(kept.runtime(state, pod.record), container.id, container.bundle)
        self._bundle = container.bundle
        self._command = command
        self._loop = EventLoop()
        self._pid = 0
        self._status: int | None = None
        self._stopped_by = 0
        self._terminal: OwnTerminal | None = None

    def run(self, stdin: int) -> int:
        """Run it with pipes to our own streams; `stdin` is the descriptor that is passed on to it, -1 for none."""
        streams = ContainerStreams(self._bundle, ContainerSpec(stdin=stdin >= 0), Output(1), Output(2))
        try:
            self._begin(streams)
            return self._attend(streams, stdin)
        finally:
            streams.release()
            self._execution.close()

    def run_on_terminal(self) -> int:
        """Run it on a terminal of its own, which is connected with ours."""
        from podward.runtime.consoles import OwnTerminal

        streams = ContainerStreams(self._bundle, ContainerSpec(stdin=True, tty=True), Output(1), Output(2))
        try:
            self._begin(streams)
            status = processes.wait(self._pid)
            if processes.exit_code(status):
                os.write(2, f"podward: cannot run it: {self._execution.complaint()}\n".encode())
                return self._execution.exit_code(status)
            streams.created()
            self._pid = self._execution.program()
            self._loop.on_exit(self._pid, self._ended)
            self._terminal = OwnTerminal(0)
            self._resize(streams)
            return self._attend(streams, 0)
        finally:
            if self._terminal is not None:
                self._terminal.restore()
            streams.release()
            self._execution.close()

    def _begin(self, streams: ContainerStreams) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH)
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _noted)
        self._loop.watch(read, lambda wake: self._signals(os.read(wake, 512), streams))
        self._pid = self._execution.begin(self._command, streams.given)
        if not streams.given.console:
            self._loop.on_exit(self._pid, self._ended)
            streams.release()

    def _attend(self, streams: ContainerStreams, stdin: int) -> int:
        """Pass on what is written and read until the program has ended; its exit code."""
        for descriptor in streams.relays:
            self._loop.watch(descriptor, partial(self._pump, streams))
        if streams.input is not None and stdin >= 0:
            StandardInput(self._loop, stdin).give_to(streams.input)
        self._loop.reap(_nobody)  # it may have ended before anybody looked
        while self._status is None:
            self._loop.turn()
        for relay in streams.relays.values():
            relay.drain()
        return 128 + self._stopped_by if self._stopped_by else self._execution.exit_code(self._status)

    def _signals(self, numbers: bytes, streams: ContainerStreams) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self._loop.reap(_nobody)
            elif number == signal.SIGWINCH:
                self._resize(streams)
            else:
                self._stopped_by = number
                self._execution.kill(self._pid)

    def _resize(self, streams: ContainerStreams) -> None:
        """Make the program's terminal as large as ours."""
        if self._terminal is not None and streams.input is not None and streams.input.descriptor >= 0:
            self._terminal.give_size(streams.input.descriptor)

    def _ended(self, status: int) -> None:
        self._status = status

    def _pump(self, streams: ContainerStreams, descriptor: int) -> None:
        if not streams.relays[descriptor].pump():
            self._loop.forget(descriptor)
            del streams.relays[descriptor]


def join_mounts(pod: Kept) -> None:
    """Enter the mount namespace of the Pod's monitor: its containers are known and reachable there alone.

    Raises NodeError where the monitor is gone.
    """
    try:
        descriptor = os.open(f"/proc/{pod.record.monitor.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NodeError(
            f"Pod {pod.record.name} has ended", advice=f"`podward rm {pod.id}` removes what is left of it"
        ) from error
    try:
        if not kept.alive(pod.record.monitor):
            raise RuntimeFailedError(f"Pod {pod.record.name} has ended")
        syscalls.setns(descriptor, syscalls.CLONE_NEWNS)
    finally:
        os.close(descriptor)


def _nobody(pid: int, status: int) -> None:
    """An orphan of the program that came to us."""
    del pid, status


def _noted(number: int, frame: object) -> None:
    """The wake-up descriptor carries the signal's number."""
