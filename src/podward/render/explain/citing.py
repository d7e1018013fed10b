"""Where a source stands: `file:line` of a manifest's or of a policy's field, else the source's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.decision import Origin
from podward.path import Key, Path

if TYPE_CHECKING:
    from podward.decision import Source
    from podward.documents.document import Document
    from podward.schema.objects import Item

NO_POLICIES: Mapping[str, Item] = {}
"""Of an explanation whose Pod no cluster has admitted."""


class Citations(Struct, frozen=True):
    """What can be cited by its line: the Pod's document, and policies by the name that sources call them."""

    document: Document
    policies: Mapping[str, Item] = NO_POLICIES

    def cite(self, source: Source) -> str:
        """Where the source stands: `file:line` of a manifest's or a policy's field, else the source's own words.

        Raises ValueError for a source without a name: nothing is printed that nobody decided.
        """
        if not source.name:
            raise ValueError(f"a value without a source: {source}")
        if source.origin is Origin.MANIFEST and source.path is not None and source.name == self.document.name:
            return self.document.where(source.path)
        return self.of_policy(source) or str(source)

    def of_policy(self, source: Source) -> str:
        """`file:line` of a policy that is written in a file; empty for any other source, and for fields it lacks."""
        item = self.policies.get(source.name) if source.origin is Origin.POLICY else None
        if item is None or source.path is None or not source.path.segments:
            return ""
        place = item.at + source.path
        line = item.document.line_of(place)
        if line is None and not isinstance(source.path.segments[-1], Key) and len(source.path.segments) > 1:
            # A part that is left out stands where the whole is written; an annotation that is not there, nowhere.
            place = item.at + Path(source.path.segments[:-1])
            line = item.document.line_of(place)
        return item.document.where(place) if line is not None else ""

    def file_and_line(self, source: Source) -> tuple[str | None, int | None]:
        """The file in which the source's line counts, and the line; None where it has none."""
        if source.line is not None:
            return source.name, source.line
        if source.origin is Origin.MANIFEST and source.path is not None and source.name == self.document.name:
            return self.document.name, self.line(source.path)
        file, _, number = self.of_policy(source).rpartition(":")
        return (file, int(number)) if file else (None, None)

    def where(self, place: Path) -> str:
        """`file:line` of a place in the Pod's document."""
        return self.document.where(place)

    def line(self, place: Path) -> int:
        """The line of that place, or of the closest thing around it."""
        return int(self.document.where(place).rpartition(":")[2])
