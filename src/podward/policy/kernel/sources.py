"""The sources of the runtime spec's fields: a predicted value cites the same line as the field that it follows from.

This is not a rule. It is an index of the oci stage's Decision, so that the rules need not search its assignments.
"""

from __future__ import annotations

from podward.decision import Decision, Origin, Source, Unknown
from podward.path import Key, Path


class Sources:
    """The sources of the runtime spec's fields, by path."""

    def __init__(self, origin: Decision) -> None:
        self._by_place: dict[tuple[str | int | Key, ...], Source] = {
            assignment.path.segments: assignment.source for assignment in origin.assignments
        }
        self._origin = origin
        self._some_unknown = bool(origin.unknowns)

    def unknown(self, *place: str | int) -> Unknown | None:
        """Why the field at `place`, or a part of it, is not known; None where it is."""
        return self._origin.unknown(Path(place)) if self._some_unknown else None

    def of(self, *place: str | int) -> Source:
        """The source of the field at `place`, or of the closest field that contains it.

        A field that no assignment set has the runtime specification's default as its source.
        """
        segments: tuple[str | int | Key, ...] = place
        for length in range(len(segments), -1, -1):
            found = self._by_place.get(segments[:length])
            if found is not None:
                return found
        return Source(Origin.DEFAULT, "runtime-spec 1.0.2", Path(segments))


def rule(name: str) -> Source:
    """A source that names the documented behaviour of the kernel or a runtime: "execve(2)", "crun 1.8"."""
    return Source(Origin.RULE, name)


NODE = Source(Origin.NODE, "this machine")
