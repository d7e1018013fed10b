"""Cuts in objects in braces and lists in brackets, JSON among them.

An entry that has its lines to itself goes with them and their comment; a comment above it stays.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from podward.documents.editing.nodes import List, Map, Node, Scalar
from podward.documents.editing.placing import placed
from podward.documents.editing.style import FlowStyle, flow_spans, flow_style
from podward.documents.editing.writing import flow_entry, flow_text, like

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.page import Page
    from podward.documents.editing.slots import Slot


def replace(page: Page, node: Node, target: Json, slot: Slot) -> bool:
    """Write another value in the place of the node; whether the node's anchor stays."""
    style = slot.flow or FlowStyle()
    plain = isinstance(node, Scalar) and node.style in {'"', "'", ""} and node.body < node.end
    if plain and isinstance(node, Scalar) and not isinstance(target, dict | list):
        alike = isinstance(node.value, str) or not isinstance(target, str)
        written = page.text[node.body : node.end]
        text = like(node, written, target) if alike else flow_text(target, style)
        tagged = "!" in page.text[node.start : node.body]
        page.cut(node.start if tagged else node.body, node.end, text)
        return not tagged
    if isinstance(node, Map | List):
        style = flow_style(node, page, style)
    text = flow_text(target, style, page.indent(node.start)).replace("\n", page.newline)
    if isinstance(node, Scalar) and node.start == node.end:
        _fill(page, node, text)
    else:
        page.cut(node.start, node.end, text)
    return False


def _fill(page: Page, node: Scalar, text: str) -> None:
    """Write a value where there is none: in `{a: }` or `{a}`."""
    at = node.start
    while page.text[at - 1] in " \t\r\n":
        at -= 1
    page.cut(at, node.start, f" {text}" if page.text[at - 1] == ":" else f": {text}")


def remove(page: Page, node: Map | List, doomed: AbstractSet[int]) -> None:
    """Take out some of the entries, not all."""
    spans = flow_spans(node)
    for gone, run in groupby(range(len(spans)), key=doomed.__contains__):
        if gone:
            indexes = list(run)
            _remove_run(page, node, spans, indexes[0], indexes[-1])


def _remove_run(page: Page, node: Map | List, spans: Sequence[tuple[int, int]], first: int, last: int) -> None:
    start, end = spans[first][0], spans[last][1]
    comma = page.past_space(end)
    after = comma + 1 if page.text[comma] == "," else end
    own_lines = page.starts_line(start) and page.ends_line(after) and not page.same_line(node.body, start)
    is_last = last == len(spans) - 1
    if own_lines:
        if is_last and after == end and first:
            before = page.past_space(spans[first - 1][1])
            page.cut(before, before + 1, "")
        page.cut(page.line_start(start), page.next_line(after), "")
    elif is_last:
        page.cut(spans[first - 1][1], end, "")
    else:
        _remove_before(page, start, after, spans[last + 1][0])


def _remove_before(page: Page, start: int, after: int, following: int) -> None:
    """Take out what stands before the next entry; comments on lines of their own are that one's, and stay."""
    end = page.line_end(after)
    if end > following or not page.text[end:following].strip():
        page.cut(start, following, "")
        return
    while page.text[start - 1] == " ":
        start -= 1
    page.cut(start, end, "")


def add_fields(page: Page, node: Map, new: JsonObject, slot: Slot) -> None:
    """Write new fields; the slot is that of a value inside."""
    style = slot.flow or FlowStyle()
    spans = flow_spans(node)
    indent = page.indent(spans[0][0]) if style.unit is not None else ""
    for index, group in placed([entry.name for entry in node.entries], new).items():
        _insert(page, spans, index, [flow_entry(name, item, style, indent) for name, item in group.items()], style)


def add_items(page: Page, node: List, new: dict[int, list[Json]], slot: Slot) -> None:
    """Write new items before those at the indexes of `new`; the slot is that of an item."""
    style = slot.flow or FlowStyle()
    spans = flow_spans(node)
    indent = page.indent(spans[0][0]) if style.unit is not None else ""
    example = node.items[-1]
    inner = flow_style(example, page, style) if isinstance(example, Map | List) else style
    for index, values in new.items():
        _insert(page, spans, index, [flow_text(value, inner, indent) for value in values], style)


def _insert(page: Page, spans: Sequence[tuple[int, int]], index: int, parts: Sequence[str], style: FlowStyle) -> None:
    indent = page.indent(spans[0][0])
    lines = [part.replace("\n", page.newline) for part in parts]
    between = f",{page.newline}{indent}" if style.unit is not None else style.comma
    if not index:
        page.cut(spans[0][0], spans[0][0], "".join(line + between for line in lines))
        return
    end = spans[index - 1][1]
    comma = page.past_space(end)
    after = comma + 1 if page.text[comma] == "," else end
    if style.unit is None or not page.ends_line(after):
        page.cut(end, end, "".join(between + line for line in lines))
        return
    if after == end:
        page.cut(end, end, ",")
    text = page.newline + indent + between.join(lines) + ("" if after == end else ",")
    page.cut(page.line_end(after), page.line_end(after), text)
