"""Many places of one document, asked which of them are, are in or are around another: without comparing every pair.

A manifest of three megabytes can have a hundred thousand containers, each with a fault and a change of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.path import Key, Path

_Segments: TypeAlias = tuple[str | int | Key, ...]


class Places:
    """The places, each with its number; the same place may stand there several times."""

    __slots__ = ("_around", "_at")

    def __init__(self, places: Iterable[Path]) -> None:
        self._at: dict[_Segments, list[int]] = {}
        self._around: dict[_Segments, list[int]] = {}
        for number, place in enumerate(places):
            steps = place.segments
            self._at.setdefault(steps, []).append(number)
            for length in range(len(steps)):
                self._around.setdefault(steps[:length], []).append(number)

    def overlapping(self, place: Path) -> list[int]:
        """The numbers of the places that are this one, around it or inside it."""
        steps = place.segments
        found = [number for length in range(len(steps) + 1) for number in self._at.get(steps[:length], ())]
        return found + self._around.get(steps, [])

    def overlap(self, place: Path) -> bool:
        """Whether there is any such place."""
        steps = place.segments
        return steps in self._around or any(steps[:length] in self._at for length in range(len(steps) + 1))
