"""Writing, replacing and removing entries of objects in braces and of lists in brackets, in YAML and in JSON.

An entry that has its lines to itself is removed with these lines and the comment on them. A comment above it stays.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from podward.documents.editing.nodes import List, Map, Node, Scalar
from podward.documents.editing.positions import insertion_points
from podward.documents.editing.style import FlowStyle, flow_spans, flow_style
from podward.documents.editing.writing import flow_entry, flow_text, scalar_like

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.positions import Position
    from podward.documents.editing.source_text import SourceText


def replace(source: SourceText, node: Node, target: Json, position: Position) -> bool:
    """Write the value `target` in place of the node. Returns whether the node's anchor is still there."""
    style = position.flow or FlowStyle()
    plain = isinstance(node, Scalar) and node.style in {'"', "'", ""} and node.body < node.end
    if plain and isinstance(node, Scalar) and not isinstance(target, dict | list):
        alike = isinstance(node.value, str) or not isinstance(target, str)
        written = source.text[node.body : node.end]
        text = scalar_like(node, written, target) if alike else flow_text(target, style)
        tagged = "!" in source.text[node.start : node.body]
        source.cut(node.start if tagged else node.body, node.end, text)
        return not tagged
    if isinstance(node, Map | List):
        style = flow_style(node, source, style)
    text = flow_text(target, style, source.indent(node.start)).replace("\n", source.newline)
    if isinstance(node, Scalar) and node.start == node.end:
        _fill(source, node, text)
    else:
        source.cut(node.start, node.end, text)
    return False


def _fill(source: SourceText, node: Scalar, text: str) -> None:
    """Write a value for a key that has none: in `{a: }` or `{a}`."""
    at = node.start
    while source.text[at - 1] in " \t\r\n":
        at -= 1
    source.cut(at, node.start, f" {text}" if source.text[at - 1] == ":" else f": {text}")


def remove(source: SourceText, node: Map | List, doomed: AbstractSet[int]) -> None:
    """Remove some of the entries, not all: those whose indexes are in `doomed`."""
    spans = flow_spans(node)
    for gone, run in groupby(range(len(spans)), key=doomed.__contains__):
        if gone:
            indexes = list(run)
            _remove_run(source, node, spans, indexes[0], indexes[-1])


def _remove_run(source: SourceText, node: Map | List, spans: Sequence[tuple[int, int]], first: int, last: int) -> None:
    start, end = spans[first][0], spans[last][1]
    comma = source.past_space(end)
    after = comma + 1 if source.text[comma] == "," else end
    own_lines = source.starts_line(start) and source.ends_line(after) and not source.same_line(node.body, start)
    is_last = last == len(spans) - 1
    if own_lines:
        if is_last and after == end and first:
            before = source.past_space(spans[first - 1][1])
            source.cut(before, before + 1, "")
        source.cut(source.line_start(start), source.next_line(after), "")
    elif is_last:
        source.cut(spans[first - 1][1], end, "")
    else:
        _remove_before(source, start, after, spans[last + 1][0])


def _remove_before(source: SourceText, start: int, after: int, following: int) -> None:
    """Remove what stands before the next entry. Comments on lines of their own belong to the next entry and stay."""
    end = source.line_end(after)
    if end > following or not source.text[end:following].strip():
        source.cut(start, following, "")
        return
    while source.text[start - 1] == " ":
        start -= 1
    source.cut(start, end, "")


def add_fields(source: SourceText, node: Map, new: JsonObject, position: Position) -> None:
    """Insert new fields into an object; `position` is that of a value inside the object."""
    style = position.flow or FlowStyle()
    spans = flow_spans(node)
    indent = source.indent(spans[0][0]) if style.unit is not None else ""
    for index, group in insertion_points([entry.name for entry in node.entries], new).items():
        _insert(source, spans, index, [flow_entry(name, item, style, indent) for name, item in group.items()], style)


def add_items(source: SourceText, node: List, new: dict[int, list[Json]], position: Position) -> None:
    """Insert new items into a list, before the items at the indexes of `new`; `position` is that of an item."""
    style = position.flow or FlowStyle()
    spans = flow_spans(node)
    indent = source.indent(spans[0][0]) if style.unit is not None else ""
    example = node.items[-1]
    inner = flow_style(example, source, style) if isinstance(example, Map | List) else style
    for index, values in new.items():
        _insert(source, spans, index, [flow_text(value, inner, indent) for value in values], style)


def _insert(
    source: SourceText, spans: Sequence[tuple[int, int]], index: int, parts: Sequence[str], style: FlowStyle
) -> None:
    indent = source.indent(spans[0][0])
    lines = [part.replace("\n", source.newline) for part in parts]
    between = f",{source.newline}{indent}" if style.unit is not None else style.comma
    if not index:
        source.cut(spans[0][0], spans[0][0], "".join(line + between for line in lines))
        return
    end = spans[index - 1][1]
    comma = source.past_space(end)
    after = comma + 1 if source.text[comma] == "," else end
    if style.unit is None or not source.ends_line(after):
        source.cut(end, end, "".join(between + line for line in lines))
        return
    if after == end:
        source.cut(end, end, ",")
    text = source.newline + indent + between.join(lines) + ("" if after == end else ",")
    source.cut(source.line_end(after), source.line_end(after), text)
