"""Taking fields and items out of objects and lists that stand on lines of their own.

What goes takes its line's comment and the comments inside it along. A comment right above it, at its column, goes too
if it names the field or the item, or if nothing follows that it could be about (an empty line, a comment or the end of
the object); any other comment above stays. An empty line that is left doubled, or first or last, is closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from podward.documents.editing.blocks import Unit
    from podward.documents.editing.page import Page
    from podward.documents.editing.slots import Slot


def remove(page: Page, units: Sequence[Unit], doomed: AbstractSet[int], slot: Slot) -> None:
    """Take out some of the fields or items, not all."""
    kept = min(set(range(len(units))) - doomed)
    inline = not page.starts_line(units[0].start)
    if kept and inline:
        _remove_head(page, units[0], units[kept - 1], units[kept])
    for index in sorted(doomed):
        if index > kept or not inline:
            if index:
                floor = page.next_line(units[index - 1].end)
            else:
                floor = page.line_start(units[0].start) if slot.head is None else page.next_line(slot.head)
            _remove_lines(page, units, doomed, index, floor)


def _remove_head(page: Page, first: Unit, last: Unit, kept: Unit) -> None:
    """Take out units on a dash's line, up to `last`, so that the `kept` one comes there, and comments between above."""
    end = page.line_end(last.end)
    comments = page.text[end : kept.start].strip()
    if not comments:
        page.cut(first.start, kept.start, "")
        return
    indent = page.indent(first.start)
    dash = page.line_start(first.start) + len(indent)
    above = [indent + line.strip() if line.strip() else "" for line in comments.split("\n")]
    text = page.newline.join((*above, indent + page.text[dash : first.start]))
    page.cut(dash, kept.start, text[len(indent) :])


def _last_of_run(doomed: AbstractSet[int], index: int) -> int:
    while index + 1 in doomed:
        index += 1
    return index


def _remove_lines(page: Page, units: Sequence[Unit], doomed: AbstractSet[int], index: int, floor: int) -> None:
    """Take out a unit that has its lines to itself; the text before `floor` is not its own."""
    text = page.text
    unit = units[index]
    run = _last_of_run(doomed, index)
    start = page.line_start(unit.start)
    end = past_inner_comments(page, page.next_line(unit.end), page.column(unit.start))
    after = past_inner_comments(page, page.next_line(units[run].end), page.column(unit.start))
    following = text[after : page.line_end(after)].strip()
    last = run == len(units) - 1
    above = _comments_above(page, start, floor, page.column(unit.start))
    named = len(unit.called) > 2 and unit.called.lower() in text[above:start].lower()
    if named or last or following[:1] in {"", "#"}:
        start = above
    first = all(earlier in doomed for earlier in range(index))
    gap = start > floor and not text[page.line_start(start - 1) : start].strip()
    if (gap or first) and not last and end < len(text) and not text[end : page.line_end(end)].strip():
        end = page.next_line(end)
    elif gap and last:
        start = page.line_start(start - 1)
    page.cut(start, end, "")


def _comments_above(page: Page, start: int, floor: int, column: int) -> int:
    """Where the comment lines begin that stand right above a line, at the column."""
    while start > floor:
        line = page.line_start(start - 1)
        if line < floor or page.text[line:start].find("#") != column or page.text[line : line + column].strip():
            break
        start = line
    return start


def past_inner_comments(page: Page, end: int, column: int) -> int:
    """The end of the comment lines from the line at `end` on that stand deeper than the column."""
    at = end
    while at < len(page.text):
        line = page.text[at : page.line_end(at)]
        if line.strip():
            if line.lstrip()[0] != "#" or line.find("#") <= column:
                break
            end = page.next_line(at)
        at = page.next_line(at)
    return end
