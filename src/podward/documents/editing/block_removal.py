"""Removing fields and items that stand on lines of their own, with keys and dashes.

A field or an item that is removed takes along the comment on its line and the comments inside it. A comment right above
it, at the same column, is removed too in two cases: it names the field or the item, or nothing follows that it could be
about (an empty line, a comment or the end of the object). Any other comment above stays. An empty line that would stand
twice, first or last is removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.editing.positions import past_inner_comments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from podward.documents.editing.positions import Extent, Position
    from podward.documents.editing.source_text import SourceText


def remove(source: SourceText, extents: Sequence[Extent], doomed: AbstractSet[int], position: Position) -> None:
    """Remove some of the fields or items, not all: those whose indexes are in `doomed`."""
    kept = min(set(range(len(extents))) - doomed)
    inline = not source.starts_line(extents[0].start)
    if kept and inline:
        _remove_head(source, extents[0], extents[kept - 1], extents[kept])
    for index in sorted(doomed):
        if index > kept or not inline:
            if index:
                floor = source.next_line(extents[index - 1].end)
            else:
                floor = (
                    source.line_start(extents[0].start) if position.head is None else source.next_line(position.head)
                )
            _remove_lines(source, extents, doomed, index, floor)


def _remove_head(source: SourceText, first: Extent, last: Extent, kept: Extent) -> None:
    """Remove what stands on a dash's line, up to `last`; `kept` takes its place, with the comments in between above."""
    end = source.line_end(last.end)
    comments = source.text[end : kept.start].strip()
    if not comments:
        source.cut(first.start, kept.start, "")
        return
    indent = source.indent(first.start)
    dash = source.line_start(first.start) + len(indent)
    above = [indent + line.strip() if line.strip() else "" for line in comments.split("\n")]
    text = source.newline.join((*above, indent + source.text[dash : first.start]))
    source.cut(dash, kept.start, text[len(indent) :])


def _last_doomed_in_a_row(doomed: AbstractSet[int], index: int) -> int:
    while index + 1 in doomed:
        index += 1
    return index


def _remove_lines(
    source: SourceText, extents: Sequence[Extent], doomed: AbstractSet[int], index: int, floor: int
) -> None:
    """Remove a field or an item that has its lines to itself; the text before `floor` belongs to others."""
    text = source.text
    extent = extents[index]
    run = _last_doomed_in_a_row(doomed, index)
    start = source.line_start(extent.start)
    end = past_inner_comments(source, source.next_line(extent.end), source.column(extent.start))
    after = past_inner_comments(source, source.next_line(extents[run].end), source.column(extent.start))
    following = text[after : source.line_end(after)].strip()
    last = run == len(extents) - 1
    above = _comments_above(source, start, floor, source.column(extent.start))
    named = len(extent.name) > 2 and extent.name.lower() in text[above:start].lower()
    if named or last or following[:1] in {"", "#"}:
        start = above
    first = all(earlier in doomed for earlier in range(index))
    gap = start > floor and not text[source.line_start(start - 1) : start].strip()
    if (gap or first) and not last and end < len(text) and not text[end : source.line_end(end)].strip():
        end = source.next_line(end)
    elif gap and last:
        start = source.line_start(start - 1)
    source.cut(start, end, "")


def _comments_above(source: SourceText, start: int, floor: int, column: int) -> int:
    """Where the comment lines begin that stand right above the line `start`, at this column."""
    while start > floor:
        line = source.line_start(start - 1)
        if line < floor or source.text[line:start].find("#") != column or source.text[line : line + column].strip():
            break
        start = line
    return start
