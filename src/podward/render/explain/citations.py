"""Citing sources: by `file:line` if the source is a field of a manifest or a policy's file, else by its own name."""

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
"""For an explanation of a Pod that was not admitted by a cluster's policies."""


class Citations(Struct, frozen=True):
    """What can be cited with a line: the Pod's document, and policies by the name that sources have."""

    document: Document
    policies: Mapping[str, Item] = NO_POLICIES

    def cite(self, source: Source) -> str:
        """The place of the source: `file:line` of a manifest's or a policy's field, else the source's own name.

        Raises ValueError for a source without a name, because no value may be shown without a source.
        """
        if not source.name:
            raise ValueError(f"a value without a source: {source}")
        if source.origin is Origin.MANIFEST and source.path is not None and source.name == self.document.name:
            return self.document.where(source.path)
        return self.of_policy(source) or str(source)

    def of_policy(self, source: Source) -> str:
        """`file:line` of a field of a policy in a file; empty for any other source, and for an absent field."""
        item = self.policies.get(source.name) if source.origin is Origin.POLICY else None
        if item is None or source.path is None or not source.path.segments:
            return ""
        place = item.at + source.path
        line = item.document.line_of(place)
        if line is None and not isinstance(source.path.segments[-1], Key) and len(source.path.segments) > 1:
            # A field that is left out is cited by the object around it. An annotation that is not there has no place.
            place = item.at + Path(source.path.segments[:-1])
            line = item.document.line_of(place)
        return item.document.where(place) if line is not None else ""

    def file_and_line(self, source: Source) -> tuple[str | None, int | None]:
        """The source's file, and its line in this file; None if it has none."""
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
        """The line of that place, or of the innermost place around it that is written."""
        return int(self.document.where(place).rpartition(":")[2])
