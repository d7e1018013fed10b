"""Completion indexes: sets of them as a Job's status writes them, and the indexes of Pods.

Specification: Kubernetes, pkg/controller/job indexed_job_utils.go. A status says `1,3-5,7`: what cannot be read of it
is left out, and so is what is beyond the Job's completions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.controllers.apps.ownership import annotations_of

INDEX = "batch.kubernetes.io/job-completion-index"
_LARGEST = (1 << 31) - 1
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")


class Intervals(Struct, frozen=True):
    """A set of indexes, as intervals in order that do not touch."""

    each: tuple[tuple[int, int], ...] = ()

    def __contains__(self, index: int) -> bool:
        return any(first <= index <= last for first, last in self.each)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.each)

    def __str__(self) -> str:
        written = []
        for first, last in self.each:
            if last == first:
                written.append(str(first))
            else:
                written.append(f"{first}{',' if last == first + 1 else '-'}{last}")
        return ",".join(written)

    def merged(self, other: Intervals) -> Intervals:
        """Both together."""
        found: list[tuple[int, int]] = []
        for first, last in sorted((*self.each, *other.each)):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return Intervals(tuple(found))

    def adding(self, indexes: Iterable[int]) -> Intervals:
        """With these, too."""
        return self.merged(Intervals(tuple((index, index) for index in sorted(set(indexes)))))

    def common(self, other: Intervals) -> int:
        """How many indexes are in both."""
        return sum(
            max(min(last, end) - max(first, start) + 1, 0) for first, last in self.each for start, end in other.each
        )


def parsed(written: str, completions: int) -> Intervals:
    """The indexes that a text names, as far as a Job has so many."""
    found: list[tuple[int, int]] = []
    for part in filter(None, written.split(",")):
        begin, _, end = part.partition("-")
        if not _NUMBER.fullmatch(begin) or (end and not _NUMBER.fullmatch(end)):
            continue
        first, last = int(begin), int(end or begin)
        if first >= completions:
            break
        found.append((first, min(last, completions - 1)))
    return Intervals(tuple(found[:1])).merged(Intervals(tuple(found[1:])))


def index_of(pod: JsonObject) -> int | None:
    """The Pod's completion index; None where it has none."""
    number = _integer(annotations_of(pod).get(INDEX))
    return number if number is not None and number >= 0 else None


def count_in(pod: JsonObject, annotation: str) -> int:
    """A count that an annotation says; 0 where it says none that can be."""
    number = _integer(annotations_of(pod).get(annotation))
    return number if number is not None and 0 <= number <= _LARGEST else 0


def indexes_of(pods: Iterable[JsonObject]) -> set[int]:
    """The indexes that these Pods have."""
    return {index for pod in pods if (index := index_of(pod)) is not None}


def first_missing(taken: Intervals, count: int, completions: int) -> list[int]:
    """The first indexes, so many at most, that are not taken."""
    found: list[int] = []
    for index in _gaps(taken, completions):
        if len(found) >= count:
            break
        found.append(index)
    return found


def _gaps(taken: Intervals, completions: int) -> Iterator[int]:
    at = 0
    for first, last in (*taken.each, (completions, completions)):
        yield from range(at, min(first, completions))
        at = max(at, last + 1)


def _integer(written: object) -> int | None:
    return int(written) if isinstance(written, str) and _NUMBER.fullmatch(written) else None
