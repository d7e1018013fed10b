"""What the node says of itself, on standard error: never what is in an object's fields."""

from __future__ import annotations

import contextlib
import os
import select
import traceback

from podward.render.escaping import printable

_LONGEST = 2000


class Log:
    """Lines on standard error; dropped where whoever should read them has left a pipe full."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose

    def note(self, text: str) -> None:
        """Something that was done; told where it was asked for."""
        if self._verbose:
            self.failed(text)

    def failed(self, text: str) -> None:
        """Something that should have worked did not."""
        ready = select.poll()
        ready.register(2, select.POLLOUT)
        if ready.poll(0):
            line = f"podward: node: {printable(text[:_LONGEST])}\n"
            with contextlib.suppress(OSError):
                os.write(2, line.encode()[: select.PIPE_BUF])

    def broke(self, what: str, error: BaseException) -> None:
        """Something was raised that nobody thought of."""
        for line in traceback.format_exception(error):
            self.failed(f"{what}: {line.rstrip()}")
