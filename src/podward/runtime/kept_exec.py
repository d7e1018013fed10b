"""Running a program in a container of a kept Pod, from another process than the Pod's monitor."""

from __future__ import annotations

import os
import signal
from functools import partial

from podward.api.core import Container as ContainerSpec
from podward.errors import NodeError, RuntimeFailedError
from podward.runtime import kept, syscalls
from podward.runtime.event_loop import EventLoop
from podward.runtime.execution import Execution
from podward.runtime.kept import Container, Kept
from podward.runtime.logs import Output
from podward.runtime.oci import Streams
from podward.runtime.state import State
from podward.runtime.stdin import StandardInput
from podward.runtime.streams import ContainerStreams


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

    def run(self, stdin: int) -> int:
        """Run it with pipes to our own streams; `stdin` is the descriptor that is passed on to it, -1 for none."""
        wanted = ContainerSpec(stdin=stdin >= 0)
        streams = ContainerStreams(self._bundle, wanted, Output(1), Output(2))
        feed = StandardInput(self._loop, stdin)
        try:
            try:
                self._begin(streams.given)
            finally:
                streams.release()
            for descriptor in streams.relays:
                self._loop.watch(descriptor, partial(self._pump, streams))
            if streams.input is not None:
                feed.give_to(streams.input)
            return self._wait()
        finally:
            for relay in streams.relays.values():
                relay.drain()
            self._end()

    def run_on_terminal(self) -> int:
        """Run it on a terminal of its own, which the OCI runtime connects with ours."""
        try:
            self._begin(Streams(0, 1, 2), terminal=True)
            return self._wait()
        finally:
            self._end()

    def _begin(self, streams: Streams, *, terminal: bool = False) -> None:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH)
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _noted)
        self._loop.watch(read, lambda wake: self._signals(os.read(wake, 512)))
        self._pid = self._execution.begin(self._command, streams, terminal=terminal)
        self._loop.on_exit(self._pid, self._ended)

    def _wait(self) -> int:
        self._loop.reap(_nobody)  # it may have ended before anybody looked
        while self._status is None:
            self._loop.turn()
        if self._stopped_by:
            return 128 + self._stopped_by
        complaint = self._execution.complaint()
        if complaint:
            os.write(2, f"podward: cannot run it: {complaint}\n".encode())
        return self._execution.exit_code(self._status)

    def _signals(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self._loop.reap(_nobody)
            elif number == signal.SIGWINCH:
                os.kill(self._pid, signal.SIGWINCH)  # the runtime gives the program's terminal our new size
            else:
                self._stopped_by = number
                self._execution.kill(self._pid)

    def _ended(self, status: int) -> None:
        self._status = status

    def _pump(self, streams: ContainerStreams, descriptor: int) -> None:
        if not streams.relays[descriptor].pump():
            self._loop.forget(descriptor)
            del streams.relays[descriptor]

    def _end(self) -> None:
        self._execution.close()


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
