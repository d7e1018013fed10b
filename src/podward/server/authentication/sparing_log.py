"""Telling the log why an authenticator fails, but never more often than somebody can read: callers decide how often."""

from __future__ import annotations

import logging
import time

_EVERY, _LONGEST = 1.0, 1000
_log = logging.getLogger("podward.server")


class SparingLog:
    """The lines of one authenticator: one a second; how many were left out is told with the next."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 0.0
        self._left_out = 0

    def tell(self, why: str) -> None:
        """Tell why; never with a token in it."""
        now = time.monotonic()
        if now < self._next:
            self._left_out += 1
            return
        more = f" ({self._left_out} more were not told)" if self._left_out else ""
        _log.error("%s: %s%s", self._name, why[:_LONGEST].replace("\n", " "), more)
        self._next, self._left_out = now + _EVERY, 0
