"""Lists that are longer than one object may be: what `kubectl get … -o yaml` and `-o json` print of a whole cluster.

The API server's limit holds for each of the items, and for what is around them. In YAML each item is read by itself,
so an alias cannot name an anchor of another item; programs that print lists write none.
"""

from __future__ import annotations

from re import MULTILINE
from re import compile as pattern
from typing import TYPE_CHECKING

from msgspec import json

from podward.documents.composed import (
    MOST_BYTES,
    MOST_DOCUMENTS,
    Composed,
    ComposeError,
    TooMuchError,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podward.api.json_value import Json, JsonObject
    from podward.documents.composed import Lines

_ITEMS = "\nitems:\n"
_FIRST = pattern(r"(?: *(?:#[^\n]*)?\n)*( *)- ")
_ADVICE = "split it into several documents by lines that start with ---"


def read_long_list(part: str, first_line: int, read: Callable[[str, int], Composed | None]) -> Composed:
    """The list that `part` is, whose items `read` reads one by one. Raises ComposeError if it is no list, too."""
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


def read_long_json_list(text: str, read: Callable[[str, int], tuple[Composed, ...]]) -> tuple[Composed, ...]:
    """The list that `text` is, which begins on line 1. Raises ComposeError if it is no list, too."""
    found = read(text, 1) if '"items"' in text and 'List"' in text else ()
    value = found[0].value if len(found) == 1 else None
    items = value.get("items") if isinstance(value, dict) and _is_list(value) else None
    if not isinstance(value, dict) or not isinstance(items, list):
        raise _too_large("document", size_of(text), 1)
    rest = len(json.encode({**value, "items": None}))
    if rest > MOST_BYTES:
        raise _too_large("document", rest, 1)
    for index, item in enumerate(items):
        length = len(json.encode(item))
        if length > MOST_BYTES:
            raise _too_large("item", length, _line_of_item(found[0], index))
    return found


def _line_of_item(composed: Composed, index: int) -> int:
    lines = composed.lines() if callable(composed.lines) else composed.lines
    entry = lines["items"]
    inside = entry[1][index] if isinstance(entry, tuple) else entry
    return inside[0] if isinstance(inside, tuple) else inside


def _is_list(value: JsonObject) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List")


def _bounds(text: str, at: int, margin: int, first_line: int) -> Iterator[int]:
    """Where each item begins, and where the last one ends."""
    edge = pattern(rf"^ {{{margin}}}- |^ {{0,{margin}}}(?![ #\n-])[^\n]", MULTILINE)
    for number, found in enumerate(edge.finditer(text, at), 1):
        yield found.start()
        if not found[0].endswith("- "):
            return
        if number > MOST_DOCUMENTS:
            line = first_line + text.count("\n", 0, found.start())
            raise TooMuchError(f"more than {MOST_DOCUMENTS:,} items", line)
    yield len(text)


def _read_around(text: str, first_line: int, read: Callable[[str, int], Composed | None]) -> Composed | None:
    """What is around the items, which must say that this is a list; None if it does not."""
    size = size_of(text)
    if size - text.count("\n") > MOST_BYTES:
        return None
    around = read(text, first_line)
    is_list = around is not None and isinstance(around.value, dict) and _is_list(around.value)
    return around if is_list else None


def _read_item(
    text: str, line: int, read: Callable[[str, int], Composed | None]
) -> tuple[Json, int | tuple[int, Lines]]:
    size = size_of(text)
    if size > MOST_BYTES:
        raise _too_large("item", size, line)
    composed = read(f"items:\n{text}", line - 1)
    value, lines = (composed.value, composed.lines) if composed is not None else (None, {})
    items = value.get("items") if isinstance(value, dict) and len(value) == 1 else None
    entry = lines.get("items") if isinstance(lines, dict) else None
    if not isinstance(items, list) or len(items) != 1 or not isinstance(entry, tuple):
        raise ComposeError("this is no item of a list", line)
    return items[0], entry[1][0]


def _too_large(what: str, size: int, line: int) -> ComposeError:
    return TooMuchError(
        f"the {what} has {size:,} bytes, more than the {MOST_BYTES:,} that an API server takes", line, advice=_ADVICE
    )
