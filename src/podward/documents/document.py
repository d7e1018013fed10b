"""One document of a manifest: the object that it contains, and the line of each field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.path import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject
    from podward.documents.parsed_value import Lines
    from podward.path import Path


class Document:
    """An object as it was written.

    `name` is the file's name, or `<stdin>`. `raw` is the whole object, with known and unknown fields, and is never
    changed. `first_line` is the line (1-based) at which the object begins. `lines` may be a function; it is called when
    a line is asked for the first time. A document is equal only to itself.
    """

    __slots__ = ("_lines", "first_line", "name", "raw")

    def __init__(
        self, name: str, raw: JsonObject, first_line: int = 1, lines: Lines | Callable[[], Lines] | None = None
    ) -> None:
        self.name = name
        self.raw = raw
        self.first_line = first_line
        self._lines: Lines | Callable[[], Lines] = lines if lines is not None else {}

    def __repr__(self) -> str:
        return f"Document({self.name}:{self.first_line}, {self.api_version} {self.kind})"

    @property
    def kind(self) -> str:
        """The object's `kind`; empty if it has none, or none that is a string."""
        kind = self.raw.get("kind")
        return kind if isinstance(kind, str) else ""

    @property
    def api_version(self) -> str:
        """The object's `apiVersion`; empty if it has none, or none that is a string."""
        version = self.raw.get("apiVersion")
        return version if isinstance(version, str) else ""

    def line_of(self, path: Path) -> int | None:
        """The line of a field's key or of a list's item; None if the document does not have it.

        For a value that an alias or a merge key brings in, it is the line where the value is written.
        """
        line, found = self._find(path)
        return line if found else None

    def where(self, path: Path) -> str:
        """`name:line` of the field; if the field is absent, of the innermost place around it that is written."""
        return f"{self.name}:{self._find(path)[0]}"

    def inside(self, path: Path) -> tuple[int, Lines]:
        """The line of this place, or of the innermost place around it that is written, and the lines inside of it."""
        node = self._given()
        line = self.first_line
        for segment in path.segments:
            entry = node.get(segment.name if isinstance(segment, Key) else segment)
            if entry is None or isinstance(entry, int):
                return line if entry is None else entry, {}
            line, node = entry
        return line, node

    def _given(self) -> Lines:
        if not isinstance(self._lines, dict):
            self._lines = self._lines()
        return self._lines

    def _find(self, path: Path) -> tuple[int, bool]:
        line, inside = self.first_line, self._given()
        for depth, segment in enumerate(path.segments):
            entry = inside.get(segment.name if isinstance(segment, Key) else segment)
            if entry is None:
                return line, False
            if isinstance(entry, int):
                return entry, depth == len(path.segments) - 1
            line, inside = entry
        return line, True
