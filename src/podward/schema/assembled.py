"""A Pod whose parts stand in several places of a document: put together, and each part's place kept.

The Pod becomes a document of its own, with the lines that its parts have in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.documents.document import Document
from podward.path import Path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines


class Part(Struct, frozen=True):
    """A value that belongs at the place `at` of the Pod and is written at the place `written` of the document."""

    at: Path
    written: Path
    value: Json


def assembled(document: Document, around: Path, parts: Iterable[Part]) -> Document:
    """The Pod of these parts as a document; what nobody wrote is on the line of the place `around` it."""
    first = document.inside(around)[0]
    raw: JsonObject = {"apiVersion": "v1", "kind": "Pod"}
    lines: Lines = {}
    for part in parts:
        number, inside = document.inside(part.written)
        _put(raw, lines, part, number, inside)
    return Document(document.name, raw, first, lines)


def _put(raw: JsonObject, lines: Lines, part: Part, number: int, inside: Lines) -> None:
    """Put a part where it belongs; a list grows by one where the place is its end."""
    node: Json = raw
    steps = part.at.segments
    for depth, step in enumerate(steps[:-1]):
        following = steps[depth + 1]
        if isinstance(node, dict) and isinstance(step, str):
            node = node.setdefault(step, [] if isinstance(following, int) else {})
        entry = lines.setdefault(step, (number, {})) if isinstance(step, str | int) else (number, {})
        lines = entry[1] if isinstance(entry, tuple) else {}
    last = steps[-1]
    if isinstance(node, dict) and isinstance(last, str):
        node[last] = part.value
    elif isinstance(node, list):
        node.append(part.value)
    if isinstance(last, str | int):
        lines[last] = (number, inside) if isinstance(part.value, dict | list) else number


def original(origins: tuple[tuple[Path, Path], ...], place: Path) -> Path:
    """Where a place of the Pod is written: within the part that holds it, or else around all parts."""
    best, found = -1, place
    for at, written in origins:
        depth = len(at.segments)
        if depth > best and place.startswith(at):
            best, found = depth, written + Path(place.segments[depth:])
    return found
