"""Who decided a value of the runtime spec, so that what follows from it can name the same line.

Not a rule: an index over the oci stage's Decision. It answers as `Decision.assignment` does, in one pass over the
assignments for any number of questions.
"""

from __future__ import annotations

from podward.decision import Decision, Origin, Source, Unknown
from podward.path import Key, Path


class Sources:
    """The sources of the runtime spec's fields."""

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
        """Who decided the field at `place`, or the closest that contains it.

        Where nobody did it is the runtime specification's own default.
        """
        segments: tuple[str | int | Key, ...] = place
        for length in range(len(segments), -1, -1):
            found = self._by_place.get(segments[:length])
            if found is not None:
                return found
        return Source(Origin.DEFAULT, "runtime-spec 1.0.2", Path(segments))


def rule(name: str) -> Source:
    """A documented behaviour of the kernel or of a runtime: "execve(2)", "capabilities(7)", "crun 1.8"."""
    return Source(Origin.RULE, name)


NODE = Source(Origin.NODE, "this machine")
