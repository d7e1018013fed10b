"""A progress bar for long checks."""

from __future__ import annotations

import os
import sys
import time

_DELAY = 0.5  # seconds before the bar is shown
_INTERVAL = 0.1
_WIDTH = 30


class Progress:
    """A bar on standard error. It is shown only on a terminal, and only after the work has taken some time."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._shown = False
        self._next = time.monotonic() + _DELAY if _wanted() else float("inf")

    def step(self) -> None:
        """Count one more step as done."""
        self._done += 1
        if self._next == float("inf") or (now := time.monotonic()) < self._next:
            return
        self._next = now + _INTERVAL
        self._shown = True
        filled = _WIDTH * self._done // max(self._steps, 1)
        share = 100 * self._done // max(self._steps, 1)
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (_WIDTH - filled)}] {share:3d} %")
        sys.stderr.flush()

    def end(self) -> None:
        """Remove the bar."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def _wanted() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
