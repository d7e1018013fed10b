"""Descriptors, timers and children of one thread, and what is called when something happens to them."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable

from msgspec import Struct


class Timer(Struct, eq=False):
    """A call at a time of the monotonic clock."""

    at: float
    call: Callable[[], None]


class EventLoop:
    """One poll(2): `turn` waits for the next event and makes the calls that are due."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._calls: dict[int, Callable[[int], None]] = {}
        self._timers: list[Timer] = []
        self._children: dict[int, Callable[[int], None]] = {}

    def watch(self, descriptor: int, call: Callable[[int], None], events: int = select.POLLIN) -> None:
        """Call when the descriptor can be read (or, with POLLOUT, written), and when its other end is gone."""
        self._calls[descriptor] = call
        self._poll.register(descriptor, events)

    def forget(self, descriptor: int) -> None:
        """Watch the descriptor no longer, which must still be open; one that is not watched is fine."""
        if self._calls.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def after(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, in so many seconds."""
        timer = Timer(time.monotonic() + seconds, call)
        self._timers.append(timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Make no such call; one that was made is fine."""
        if timer in self._timers:
            self._timers.remove(timer)

    def on_exit(self, pid: int, call: Callable[[int], None]) -> None:
        """Call with the wait status when this child of ours has ended."""
        self._children[pid] = call

    def reap(self, stranger: Callable[[int, int], None]) -> None:
        """Collect every child that has ended; `stranger` is told of those that nobody waits for."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            call = self._children.pop(pid, None)
            if call is not None:
                call(status)
            else:
                stranger(pid, status)

    def turn(self, due: float | None = None) -> None:
        """Wait for the next event, no longer than until `due`, and make the calls that belong to it."""
        times = [timer.at for timer in self._timers]
        if due is not None:
            times.append(due)
        timeout = max(0.0, min(times) - time.monotonic()) * 1000 + 1 if times else None
        for descriptor, _ in self._poll.poll(timeout):
            call = self._calls.get(descriptor)  # a call before may have ended the watch
            if call is not None:
                call(descriptor)
        now = time.monotonic()
        for timer in [timer for timer in self._timers if timer.at <= now]:
            if timer in self._timers:
                self._timers.remove(timer)
                timer.call()
