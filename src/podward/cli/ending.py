"""What a command leaves behind in memory when its process is about to end.

A process that ends gives its memory back to the kernel at once (`main.entry`). Taking thousands of objects apart
before that, as happens when their last name goes away, would be a twentieth of the time of a large check.
"""

from __future__ import annotations

left: list[object] = []
"""What was left so far."""


def leave(*things: object) -> None:
    """Keep these until the process ends, or the next command begins."""
    left.extend(things)


def begin() -> None:
    """Forget what an earlier command of this process left."""
    left.clear()
