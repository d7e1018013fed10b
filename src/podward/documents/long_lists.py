"""Reading lists that are larger than one object may be: `kubectl get … -o yaml` and `-o json` of a whole cluster.

The API server's size limit holds for each item, and for the list without its items. In YAML each item is read by
itself, so an alias cannot use an anchor of another item; programs that print lists write no aliases.
"""

from __future__ import annotations

from re import MULTILINE
from re import compile as pattern
from typing import TYPE_CHECKING

from msgspec import json

from podward.documents.parsed_value import (
    MAX_BYTES,
    MAX_DOCUMENTS,
    LimitExceededError,
    ParsedValue,
    ParseError,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_ITEMS = "\nitems:\n"
_FIRST = pattern(r"(?: *(?:#[^\n]*)?\n)*( *)- ")
_ADVICE = "split it into several documents by lines that start with ---"


def read_long_list(part: str, first_line: int, read: Callable[[str, int], ParsedValue | None]) -> ParsedValue:
    """Read the YAML list `part`; `read` reads each of its items. Raises ParseError, also if `part` is no list."""
    text = part.replace("\r\n", "\n") if "\r" in part else part
    at = text.find(_ITEMS)
    first = _FIRST.match(text, at + len(_ITEMS)) if at >= 0 else None
    if first is None:
        raise _too_large("document", size_of(part), first_line + 1)
    *starts, end = _bounds(text, first.start(1), len(first[1]), first_line)
    between = "\n" * text.count("\n", at + len(_ITEMS), end)
    around = _read_around(text[:at] + "\nitems: []\n" + between + text[end:], first_line, read)
    if around is None:
        raise _too_large("document", size_of(part), first_line + 1)
    items: list[Json] = []
    lines: Lines = {}
    line, counted = first_line, 0
    for start, stop in zip(starts, [*starts[1:], end], strict=True):
        line += text.count("\n", counted, start)
        counted = start
        value, lines[len(items)] = _read_item(text[start:stop], line, read)
        items.append(value)
    value, around_lines = around.value, around.lines
    if isinstance(value, dict) and isinstance(around_lines, dict):  # always: `_read_around` made sure
        value["items"] = items
        around_lines["items"] = (first_line + text.count("\n", 0, at + 1), lines)
    return around


def read_long_json_list(text: str, read: Callable[[str, int], tuple[ParsedValue, ...]]) -> tuple[ParsedValue, ...]:
    """Read the JSON list `text`, which begins on line 1. Raises ParseError, also if `text` is no list."""
    found = read(text, 1) if '"items"' in text and 'List"' in text else ()
    value = found[0].value if len(found) == 1 else None
    items = value.get("items") if isinstance(value, dict) and _is_list(value) else None
    if not isinstance(value, dict) or not isinstance(items, list):
        raise _too_large("document", size_of(text), 1)
    rest = len(json.encode({**value, "items": None}))
    if rest > MAX_BYTES:
        raise _too_large("document", rest, 1)
    for index, item in enumerate(items):
        length = len(json.encode(item))
        if length > MAX_BYTES:
            raise _too_large("item", length, _line_of_item(found[0], index))
    return found


def _line_of_item(parsed: ParsedValue, index: int) -> int:
    lines = parsed.lines() if callable(parsed.lines) else parsed.lines
    entry = lines["items"]
    inside = entry[1][index] if isinstance(entry, tuple) else entry
    return inside[0] if isinstance(inside, tuple) else inside


def _is_list(value: JsonObject) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List")


def _bounds(text: str, at: int, margin: int, first_line: int) -> Iterator[int]:
    """The offset at which each item begins, and the offset at which the last one ends."""
    edge = pattern(rf"^ {{{margin}}}- |^ {{0,{margin}}}(?![ #\n-])[^\n]", MULTILINE)
    for number, found in enumerate(edge.finditer(text, at), 1):
        yield found.start()
        if not found[0].endswith("- "):
            return
        if number > MAX_DOCUMENTS:
            line = first_line + text.count("\n", 0, found.start())
            raise LimitExceededError(f"more than {MAX_DOCUMENTS:,} items", line)
    yield len(text)


def _read_around(text: str, first_line: int, read: Callable[[str, int], ParsedValue | None]) -> ParsedValue | None:
    """The list without its items; None if its `kind` is not that of a list."""
    size = size_of(text)
    if size - text.count("\n") > MAX_BYTES:
        return None
    around = read(text, first_line)
    is_list = around is not None and isinstance(around.value, dict) and _is_list(around.value)
    return around if is_list else None


def _read_item(
    text: str, line: int, read: Callable[[str, int], ParsedValue | None]
) -> tuple[Json, int | tuple[int, Lines]]:
    size = size_of(text)
    if size > MAX_BYTES:
        raise _too_large("item", size, line)
    parsed = read(f"items:\n{text}", line - 1)
    value, lines = (parsed.value, parsed.lines) if parsed is not None else (None, {})
    items = value.get("items") if isinstance(value, dict) and len(value) == 1 else None
    entry = lines.get("items") if isinstance(lines, dict) else None
    if not isinstance(items, list) or len(items) != 1 or not isinstance(entry, tuple):
        raise ParseError("this is no item of a list", line)
    return items[0], entry[1][0]


def _too_large(what: str, size: int, line: int) -> ParseError:
    return LimitExceededError(
        f"the {what} has {size:,} bytes, more than the {MAX_BYTES:,} that an API server takes", line, advice=_ADVICE
    )
