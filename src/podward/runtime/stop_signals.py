"""SIGINT, SIGTERM and SIGHUP while Pods are made, run and taken away: each is heard at once, whatever is being done.

What a signal does depends on what this process does when it comes:

- While Pods are prepared it ends the work (KeyboardInterrupt), and what was made is taken away.
- While they run it is noted, and the event loop asks the containers to end, or ends them.
- While they are taken away the first one is noted, so that nothing stays by an impatient second Ctrl-C; the next one
  ends this process, and the next call sweeps.

Whoever waits for a program (`processes.wait_within`) looks at `count`, and does not wait for long after a signal.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """The signals that this process has got since `listen`, which begins with not noting any."""

    def __init__(self) -> None:
        self.count = 0
        self.last: signal.Signals | None = None
        self._untaken: list[signal.Signals] = []
        self._noted: int | None = None
        self._once: tuple[signal.Signals, ...] = ()
        self._heard: set[int] = set()
        self._listening = False

    @contextmanager
    def listen(self) -> Iterator[None]:
        """Handle the signals within the context; one within another changes nothing."""
        if self._listening:
            yield
            return
        self.note(0)
        before = {number: signal.signal(number, self._handle) for number in NUMBERS}
        self._listening = True
        try:
            yield
        finally:
            self._listening = False
            for number, handler in before.items():
                signal.signal(number, handler)

    def note(self, most: int | None = None) -> None:
        """From now on note so many signals, None for all of them; the one after them raises KeyboardInterrupt."""
        self._noted = most

    def hear_once(self, *numbers: signal.Signals) -> None:
        """Take each of these for one request, however often it comes: several processes may ask for the same."""
        self._once = numbers

    @property
    def exit_code(self) -> int:
        """What a process ends with that the last signal has ended."""
        return 128 + self.last if self.last is not None else 130

    def is_waiting(self) -> bool:
        """Whether there are signals that nobody has taken."""
        return bool(self._untaken)

    def take(self) -> tuple[signal.Signals, ...]:
        """The signals that nobody has taken yet."""
        taken, self._untaken = tuple(self._untaken), []
        return taken

    def _handle(self, number: int, _: object) -> None:
        if number in self._heard:
            return
        self._heard.update({number}.intersection(self._once))
        self.count += 1
        self.last = signal.Signals(number)
        self._untaken.append(self.last)
        if self._noted is not None:
            self._noted -= 1
            if self._noted < 0:
                raise KeyboardInterrupt
