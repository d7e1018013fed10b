"""An index of many paths, which finds those that overlap with another path without comparing every pair.

A manifest of three megabytes can have a hundred thousand containers, each with a violation and a change of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.path import Key, Path

_Segments: TypeAlias = tuple[str | int | Key, ...]


class PathIndex:
    """The index. Each path has a number, which is its position; the same path may be there several times."""

    __slots__ = ("_around", "_at", "_unsorted")

    def __init__(self, places: Iterable[Path]) -> None:
        self._at: dict[_Segments, list[int]] = {}
        self._around: dict[_Segments, list[int]] = {}
        self._unsorted: Iterable[Path] = places

    def _sort(self) -> None:
        for number, place in enumerate(self._unsorted):
            steps = place.segments
            self._at.setdefault(steps, []).append(number)
            for length in range(len(steps)):
                self._around.setdefault(steps[:length], []).append(number)
        self._unsorted = ()

    def overlapping(self, place: Path) -> list[int]:
        """The numbers of the paths that are equal to this path, or lead to it, or to which it leads."""
        self._sort()
        steps = place.segments
        found = [number for length in range(len(steps) + 1) for number in self._at.get(steps[:length], ())]
        return found + self._around.get(steps, [])

    def overlaps(self, place: Path) -> bool:
        """Whether there is any such path."""
        self._sort()
        steps = place.segments
        return steps in self._around or any(steps[:length] in self._at for length in range(len(steps) + 1))
