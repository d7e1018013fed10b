"""Cuts in objects and lists that are written with keys and dashes on lines of their own: what is new or replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from msgspec import Struct

from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar
from podward.documents.editing.placing import placed
from podward.documents.editing.removing import past_inner_comments
from podward.documents.editing.slots import needed
from podward.documents.editing.style import flow_style
from podward.documents.editing.writing import BlockWriter, flow_text, like, quote_of, scalar_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.page import Page
    from podward.documents.editing.slots import Slot
    from podward.documents.editing.style import Style


class Unit(Struct, frozen=True):
    """A field or an item: from its key or dash to the end of its content, and what a comment may call it."""

    start: int
    end: int
    called: str


def fields(page: Page, node: Map) -> list[Unit]:
    """The fields of an object."""
    return [
        Unit(entry.key.start, max(page.content_end(entry.value), page.colon(entry.key) + 1), entry.name)
        for entry in node.entries
    ]


def items(page: Page, node: List, dashes: Sequence[int]) -> list[Unit]:
    """The items of a list."""
    return [
        Unit(dash, max(page.content_end(item), dash + 1), _called(item.value))
        for dash, item in zip(dashes, node.items, strict=True)
    ]


def add_fields(page: Page, style: Style, node: Map, new: JsonObject, slot: Slot) -> None:
    """Write new fields."""
    writer = BlockWriter(style, slot.dash)
    column = page.column(node.body)
    for index, group in placed([entry.name for entry in node.entries], new).items():
        _insert(page, fields(page, node), index, writer.lines(group, column))


def add_items(page: Page, style: Style, node: List, new: dict[int, list[Json]], slot: Slot) -> None:
    """Write new items before those at the indexes of `new`."""
    writer = BlockWriter(style, slot.dash)
    dashes = page.dashes(node)
    column = page.column(dashes[0])
    example = node.items[0]
    near = not _is_nothing(example) and page.same_line(dashes[0], example.start)
    gap = example.start - dashes[0] if near else 2
    for index, values in new.items():
        lines = [line for value in values for line in writer.item(value, column, gap, quote_of(example))]
        _insert(page, items(page, node, dashes), index, lines)


def replace(page: Page, style: Style, node: Node, target: Json, slot: Slot) -> bool:
    """Write another value in the place of the node; whether the node's anchor stays."""
    writer = BlockWriter(style, slot.dash)
    if isinstance(node, Scalar) and node.style not in {"|", ">"} and node.body < node.end:
        properties = page.text[node.start : node.body]
        text = _in_place(page, writer, node, target, slot)
        if text is not None and "!" not in properties:
            page.cut(node.body, node.end, text)
            return True
    text = _on_one_line(page, writer, node, target, slot)
    if text is not None:
        _write_inline(page, node, text, slot)
    elif slot.column < 0 and not isinstance(node, Alias):
        lines = writer.lines(target, page.column(node.body))
        page.cut(node.start, page.line_end(page.content_end(node)), page.newline.join(lines).lstrip())
    elif slot.name or not _after_dash(page, slot):
        _write_below(page, writer, node, target, slot)
    else:
        _write_item(page, writer, node, target, slot)
    return False


def _in_place(page: Page, writer: BlockWriter, node: Scalar, target: Json, slot: Slot) -> str | None:
    """A scalar for a scalar."""
    if isinstance(target, dict | list):
        return None
    if isinstance(target, str) and not isinstance(node.value, str):
        return writer.inline(slot.name, target)
    if isinstance(target, str) and node.style not in {'"', "'"}:
        return writer.inline("", target)
    return like(node, page.text[node.body : node.end], target)


def _on_one_line(page: Page, writer: BlockWriter, node: Node, target: Json, slot: Slot) -> str | None:
    """The value as it stands after the colon or the dash; None if it needs lines of its own."""
    if _is_laid_out(node) and target and _are_alike(node, target):
        return None
    if isinstance(node, Map | List) and node.flow and node.value and isinstance(target, dict | list):
        text = flow_text(target, flow_style(node, page, writer.style.flow), page.indent(node.start))
        return text.replace("\n", page.newline)
    text_or_none = writer.inline(slot.name, target)
    if text_or_none is not None or not isinstance(target, str):
        return text_or_none
    if page.text[page.content_end(node) : page.line_end(page.content_end(node))].strip() or slot.column < 0:
        return scalar_text(target, '"')
    return page.newline.join(writer.literal(target, slot.column))


def _write_inline(page: Page, node: Node, text: str, slot: Slot) -> None:
    if _is_nothing(node):
        head = needed(slot.head)
        page.cut(head, _past_blank(page, head), f" {text}")
    elif slot.head is None or page.same_line(slot.head, node.start):
        page.cut(node.start, _end(page, node), text)
    else:
        page.cut(slot.head, _past_blank(page, slot.head), f" {text}")
        page.cut(page.line_end(slot.head), _end(page, node), "")


def _write_below(page: Page, writer: BlockWriter, node: Node, target: Json, slot: Slot) -> None:
    """An object or a list on the lines below its key."""
    head = needed(slot.head)
    if _is_laid_out(node) and _are_alike(node, target):
        quote = quote_of(node.items[0]) if isinstance(node, List) else ""
        lines = writer.lines(target, page.column(node.body), quote)
    else:
        lines = writer.below(slot.name, target, slot.column)
    text = "".join(page.newline + line for line in lines)
    if _is_nothing(node):
        page.cut(_past_blank_or(page, head), page.line_end(head), "")
        page.cut(page.line_end(head), page.line_end(head), text)
    elif not page.same_line(head, node.start):
        page.cut(page.line_end(head), _end(page, node), text)
    elif _is_laid_out(node) or (isinstance(node, Scalar) and node.style in {"|", ">"}):
        page.cut(head, _end(page, node), text)
    else:
        page.cut(head, _past_blank(page, node.end), "")
        page.cut(page.line_end(node.end), page.line_end(node.end), text)


def _write_item(page: Page, writer: BlockWriter, node: Node, target: Json, slot: Slot) -> None:
    """An object or a list after a dash."""
    head = needed(slot.head)
    here = not _is_nothing(node) and page.same_line(head, node.start)
    below = not here and _is_laid_out(node)
    column = slot.column + 2 if not here and not below else page.column(node.start)
    text = page.newline.join(writer.lines(target, column))[column:]
    if below:
        page.cut(page.line_end(head), _end(page, node), page.newline + " " * column + text)
    elif here and page.text[_end(page, node) : page.line_end(_end(page, node))].strip():  # the comment stays up there
        comment = page.text.index("#", _end(page, node))
        page.cut(node.start, comment, "")
        page.cut(page.line_end(comment), page.line_end(comment), page.newline + " " * column + text)
    elif here:
        page.cut(node.start, _end(page, node), text)
    elif _is_nothing(node):
        page.cut(head, _past_blank(page, head), f" {text}")
    else:
        page.cut(head, _end(page, node), f" {text}")


def _insert(page: Page, units: Sequence[Unit], index: int, lines: Sequence[str]) -> None:
    """Write lines before the unit at the index, that is: right after the one before it and the comments inside that."""
    if index:
        before = units[index - 1]
        at = past_inner_comments(page, page.next_line(before.end), page.column(before.start))
        page.cut(at, at, "".join(line + page.newline for line in lines))
        return
    at = units[0].start
    indent = " " * page.column(at)
    page.cut(at, at, page.newline.join((*lines, indent))[len(indent) :])


def _end(page: Page, node: Node) -> int:
    """The end of what goes with the node: of an object or a list on lines of its own, also the last line's comment."""
    end = page.content_end(node)
    return page.line_end(end) if _is_laid_out(node) else end


def _past_blank(page: Page, at: int) -> int:
    """The end of the line if only white space is left on it, else `at`."""
    end = page.line_end(at)
    return at if page.text[at:end].strip() else end


def _past_blank_or(page: Page, at: int) -> int:
    end = page.line_end(at)
    return end if page.text[at:end].strip() else at


def _after_dash(page: Page, slot: Slot) -> bool:
    return page.text[needed(slot.head) - 1] == "-"


def _is_laid_out(node: Node) -> TypeGuard[Map | List]:
    """Whether it is an object or a list on lines of its own."""
    return isinstance(node, Map | List) and not node.flow


def _are_alike(node: Node, target: Json) -> bool:
    return isinstance(target, dict) if isinstance(node, Map) else isinstance(node, List) and isinstance(target, list)


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.start == node.end


def _called(value: Json) -> str:
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""
