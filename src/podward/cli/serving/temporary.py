"""The directory of a cluster that leaves nothing: made for it, removed with all that is in it."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator

from podward.cli import terminal


@contextlib.contextmanager
def directory() -> Iterator[str]:
    """A new directory (0700), whose name is short: sockets are made in it, whose paths may not be long."""
    made = tempfile.mkdtemp(prefix="podward-")
    try:
        yield made
    finally:
        left: list[str] = []
        shutil.rmtree(made, onerror=lambda _call, path, _error: left.append(str(path)))
        if left:
            terminal.say(f"what it made cannot be removed: {terminal.printable(left[0])}")
