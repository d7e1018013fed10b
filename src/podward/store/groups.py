"""What waits in the queue of a thread that writes: as much as there is at once, so that it is written at once."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from queue import SimpleQueue

Waiting = TypeVar("Waiting")


def next_group(waiting: SimpleQueue[Waiting | None], most: int) -> tuple[list[Waiting], bool]:
    """What waits, at most so many, and whether None has ended the queue. Blocks until there is something."""
    group: list[Waiting] = []
    found = waiting.get()
    while found is not None:
        group.append(found)
        if len(group) == most:
            return group, False
        try:
            found = waiting.get_nowait()
        except queue.Empty:
            return group, False
    return group, True
