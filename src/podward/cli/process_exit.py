"""Keeping a command's objects alive until its process ends.

A process that ends returns its memory to the kernel at once (`main.entry`). Deleting thousands of objects one by one
before that, as Python does when the last reference to them goes away, would take a twentieth of a large check's time.
"""

from __future__ import annotations

kept: list[object] = []


def keep(*things: object) -> None:
    """Keep these objects until the process ends, or the next command of this process begins."""
    kept.extend(things)


def forget() -> None:
    """Let go of what an earlier command of this process kept."""
    kept.clear()
