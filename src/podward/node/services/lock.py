"""Who of several nodes in one network serves Services there: whoever has the name.

It is the name of an abstract unix socket (unix(7)): there once in each network namespace, as the rules are, and free
again when its holder has died, however it died.
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

TABLE = "podward"
"""What the names of our tables begin with."""


class Held:
    """The name is ours."""

    def __init__(self, holder: socket.socket) -> None:
        self._holder = holder

    def release(self) -> None:
        """Give the name back."""
        self._holder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def attempt(table: str) -> Held | None:
    """Have the name of this table, unless somebody has it."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        holder.bind(f"\0podward-services-{table}")
    except OSError:
        holder.close()
        return None
    return Held(holder)
