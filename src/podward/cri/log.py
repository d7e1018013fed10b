"""What the CRI service says of its calls, on standard error: their names and ends, never what they were asked."""

from __future__ import annotations

import contextlib
import os
import select
import traceback

from podward.render.escaping import printable

LEVELS = ("error", "warn", "info", "debug")
"""From the one that says least: `warn` adds refused calls, `info` what the service itself does, `debug` all calls."""
_LONGEST = 2000


class Log:
    """Lines of up to this level."""

    def __init__(self, level: str = "warn") -> None:
        self._level = LEVELS.index(level)

    def done(self, method: str, seconds: float) -> None:
        """A call was carried out."""
        self._say("debug", f"{method}: done in {seconds * 1000:.1f} ms")

    def refused(self, method: str, why: str) -> None:
        """A call was not."""
        self._say("warn", f"{method}: {why}")

    def note(self, text: str) -> None:
        """The service did something by itself."""
        self._say("info", text)

    def broke(self, method: str, error: BaseException) -> None:
        """Something was raised that nobody thought of."""
        for line in traceback.format_exception(error):
            self.failed(f"{method}: {line.rstrip()}")

    def failed(self, text: str) -> None:
        """Something that should have worked did not."""
        self._say("error", text)

    def _say(self, level: str, text: str) -> None:
        if LEVELS.index(level) <= self._level:
            _write(f"podward: cri: {printable(text[:_LONGEST])}\n")


def _write(line: str) -> None:
    """Write the line, or drop it where whoever should read has left a pipe full: that must not hold up the service."""
    ready = select.poll()
    ready.register(2, select.POLLOUT)
    if ready.poll(0):
        with contextlib.suppress(OSError):
            os.write(2, line.encode()[: select.PIPE_BUF])  # so much fits into a pipe that is ready
