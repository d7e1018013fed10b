"""What the CRI service says of its calls, on standard error: their names and ends, never what they were asked."""

from __future__ import annotations

import sys

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

    def failed(self, text: str) -> None:
        """Something that should have worked did not."""
        self._say("error", text)

    def _say(self, level: str, text: str) -> None:
        if LEVELS.index(level) <= self._level:
            sys.stderr.write(f"podward: cri: {printable(text[:_LONGEST])}\n")
            sys.stderr.flush()
