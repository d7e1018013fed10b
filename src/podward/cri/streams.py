"""A list in parts, for the methods that stream one: each part has at least one thing, and fits a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
PART = 32
"""Things in a part: of containers with all their labels and annotations (at most 256 KiB each) less than a message."""


def parts(items: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    """The parts; none of an empty list."""
    return (tuple(items[at : at + PART]) for at in range(0, len(items), PART))
