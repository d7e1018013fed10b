"""Writing and replacing fields and items that stand on lines of their own, with keys and dashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar
from podward.documents.editing.positions import fields, insertion_points, items, needed, past_inner_comments
from podward.documents.editing.style import flow_style
from podward.documents.editing.writing import BlockWriter, flow_text, quote_of, scalar_like, scalar_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.positions import Extent, Position
    from podward.documents.editing.source_text import SourceText
    from podward.documents.editing.style import Style


def add_fields(source: SourceText, style: Style, node: Map, new: JsonObject, position: Position) -> None:
    """Insert new fields into an object."""
    writer = BlockWriter(style, position.dash)
    column = source.column(node.body)
    for index, group in insertion_points([entry.name for entry in node.entries], new).items():
        _insert(source, fields(source, node), index, writer.lines(group, column))


def add_items(source: SourceText, style: Style, node: List, new: dict[int, list[Json]], position: Position) -> None:
    """Insert new items into a list, before the items at the indexes of `new`."""
    writer = BlockWriter(style, position.dash)
    dashes = source.dashes(node)
    column = source.column(dashes[0])
    example = node.items[0]
    near = not _is_nothing(example) and source.same_line(dashes[0], example.start)
    gap = example.start - dashes[0] if near else 2
    for index, values in new.items():
        lines = [line for value in values for line in writer.item(value, column, gap, quote_of(example))]
        _insert(source, items(source, node, dashes), index, lines)


def replace(source: SourceText, style: Style, node: Node, target: Json, position: Position) -> bool:
    """Write the value `target` in place of the node. Returns whether the node's anchor is still there."""
    writer = BlockWriter(style, position.dash)
    if isinstance(node, Scalar) and node.style not in {"|", ">"} and node.body < node.end:
        properties = source.text[node.start : node.body]
        text = _in_place(source, writer, node, target, position)
        if text is not None and "!" not in properties:
            source.cut(node.body, node.end, text)
            return True
    text = _on_one_line(source, writer, node, target, position)
    if text is not None:
        _write_inline(source, node, text, position)
    elif position.column < 0 and not isinstance(node, Alias):
        lines = writer.lines(target, source.column(node.body))
        source.cut(node.start, source.line_end(source.content_end(node)), source.newline.join(lines).lstrip())
    elif position.name or not _after_dash(source, position):
        _write_below(source, writer, node, target, position)
    else:
        _write_item(source, writer, node, target, position)
    return False


def _in_place(source: SourceText, writer: BlockWriter, node: Scalar, target: Json, position: Position) -> str | None:
    """The text of a scalar that replaces a scalar; None if `target` is no scalar."""
    if isinstance(target, dict | list):
        return None
    if isinstance(target, str) and not isinstance(node.value, str):
        return writer.inline(position.name, target)
    if isinstance(target, str) and node.style not in {'"', "'"}:
        return writer.inline("", target)
    return scalar_like(node, source.text[node.body : node.end], target)


def _on_one_line(source: SourceText, writer: BlockWriter, node: Node, target: Json, position: Position) -> str | None:
    """The value as text that follows the colon or the dash; None if the value needs lines of its own."""
    if _is_laid_out(node) and target and _are_alike(node, target):
        return None
    if isinstance(node, Map | List) and node.flow and node.value and isinstance(target, dict | list):
        text = flow_text(target, flow_style(node, source, writer.style.flow), source.indent(node.start))
        return text.replace("\n", source.newline)
    text_or_none = writer.inline(position.name, target)
    if text_or_none is not None or not isinstance(target, str):
        return text_or_none
    if source.text[source.content_end(node) : source.line_end(source.content_end(node))].strip() or position.column < 0:
        return scalar_text(target, '"')
    return source.newline.join(writer.literal(target, position.column))


def _write_inline(source: SourceText, node: Node, text: str, position: Position) -> None:
    if _is_nothing(node):
        head = needed(position.head)
        source.cut(head, _past_blank(source, head), f" {text}")
    elif position.head is None or source.same_line(position.head, node.start):
        source.cut(node.start, _end(source, node), text)
    else:
        source.cut(position.head, _past_blank(source, position.head), f" {text}")
        source.cut(source.line_end(position.head), _end(source, node), "")


def _write_below(source: SourceText, writer: BlockWriter, node: Node, target: Json, position: Position) -> None:
    """Write an object or a list on the lines below its key."""
    head = needed(position.head)
    if _is_laid_out(node) and _are_alike(node, target):
        quote = quote_of(node.items[0]) if isinstance(node, List) else ""
        lines = writer.lines(target, source.column(node.body), quote)
    else:
        lines = writer.below(position.name, target, position.column)
    text = "".join(source.newline + line for line in lines)
    if _is_nothing(node):
        source.cut(_past_blank_or(source, head), source.line_end(head), "")
        source.cut(source.line_end(head), source.line_end(head), text)
    elif not source.same_line(head, node.start):
        source.cut(source.line_end(head), _end(source, node), text)
    elif _is_laid_out(node) or (isinstance(node, Scalar) and node.style in {"|", ">"}):
        source.cut(head, _end(source, node), text)
    else:
        source.cut(head, _past_blank(source, node.end), "")
        source.cut(source.line_end(node.end), source.line_end(node.end), text)


def _write_item(source: SourceText, writer: BlockWriter, node: Node, target: Json, position: Position) -> None:
    """Write an object or a list after a dash."""
    head = needed(position.head)
    here = not _is_nothing(node) and source.same_line(head, node.start)
    below = not here and _is_laid_out(node)
    column = position.column + 2 if not here and not below else source.column(node.start)
    text = source.newline.join(writer.lines(target, column))[column:]
    if below:
        source.cut(source.line_end(head), _end(source, node), source.newline + " " * column + text)
    elif here and source.text[_end(source, node) : source.line_end(_end(source, node))].strip():
        comment = source.text.index("#", _end(source, node))  # the comment stays on the dash's line
        source.cut(node.start, comment, "")
        source.cut(source.line_end(comment), source.line_end(comment), source.newline + " " * column + text)
    elif here:
        source.cut(node.start, _end(source, node), text)
    elif _is_nothing(node):
        source.cut(head, _past_blank(source, head), f" {text}")
    else:
        source.cut(head, _end(source, node), f" {text}")


def _insert(source: SourceText, extents: Sequence[Extent], index: int, lines: Sequence[str]) -> None:
    """Insert lines before the field or item at the index: right after the one before it and the comments inside it."""
    if index:
        before = extents[index - 1]
        at = past_inner_comments(source, source.next_line(before.end), source.column(before.start))
        source.cut(at, at, "".join(line + source.newline for line in lines))
        return
    at = extents[0].start
    indent = " " * source.column(at)
    source.cut(at, at, source.newline.join((*lines, indent))[len(indent) :])


def _end(source: SourceText, node: Node) -> int:
    """The end of the node; for an object or a list on lines of its own, behind the comment on its last line."""
    end = source.content_end(node)
    return source.line_end(end) if _is_laid_out(node) else end


def _past_blank(source: SourceText, at: int) -> int:
    """The end of the line if only white space is left on it, else `at`."""
    end = source.line_end(at)
    return at if source.text[at:end].strip() else end


def _past_blank_or(source: SourceText, at: int) -> int:
    end = source.line_end(at)
    return end if source.text[at:end].strip() else at


def _after_dash(source: SourceText, position: Position) -> bool:
    return source.text[needed(position.head) - 1] == "-"


def _is_laid_out(node: Node) -> TypeGuard[Map | List]:
    """Whether it is an object or a list on lines of its own."""
    return isinstance(node, Map | List) and not node.flow


def _are_alike(node: Node, target: Json) -> bool:
    return isinstance(target, dict) if isinstance(node, Map) else isinstance(node, List) and isinstance(target, list)


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.start == node.end
