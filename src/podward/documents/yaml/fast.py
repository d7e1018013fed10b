"""Reading YAML fast: row by row, as long as every row is in a plain subset of YAML.

Specification: the same value and lines as `yaml.exact` for the same text. This reader raises OutsideSubsetError for
rows that `rows` does not take, and for structures that are wrong or ambiguous. The caller then reads the text with
`yaml.exact`, so all errors that users see come from there.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from podward.api.json_value import copied
from podward.documents.parsed_value import OutsideSubsetError, ParsedValue
from podward.documents.yaml.flow import flow_lines
from podward.documents.yaml.rows import FLOW, NO_KEY, OPEN, Rows

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_MAX_DEPTH = 60  # levels, of the 100 that `composer` takes
_ROWS = Rows()


def read_yaml_fast(text: str, first_line: int) -> ParsedValue | None:  # noqa: C901, PLR0912, PLR0915  # a call costs each row
    """The object in `text`, which begins on `first_line` of its file; None if the text is empty.

    `text` is one document, whose lines end with a line feed. Raises OutsideSubsetError.
    """
    known = _ROWS
    rows = text.split("\n")
    numbered = enumerate(rows, first_line)
    root: JsonObject = {}
    root_lines: Lines = {}
    # The collection being filled is `fields` if the level is even, `items` if it is odd (see `rows`). `stack` has those
    # around it.
    level, fields, items, lines = 0, root, _no_items(), root_lines
    stack: list[tuple[int, JsonObject, list[Json], Lines]] = []
    pending: str | None = None  # the key whose value may stand below
    pending_line = 0
    for number, row in numbered:
        at, inside, key, value, kind = known[row]
        if at != level:
            if at < 0:
                continue
            if at > level:
                if pending is None or len(stack) >= _MAX_DEPTH:
                    raise OutsideSubsetError
                stack.append((level, fields, items, lines))
                around, lines = lines, {}
                around[pending] = (pending_line, lines)
                if at & 1:
                    fields[pending] = items = []
                else:
                    outer, fields = fields, {}
                    outer[pending] = fields
                level = at
            else:
                while level > at:
                    level, fields, items, lines = stack.pop()
                if level != at:
                    raise OutsideSubsetError
        pending = None
        if inside is not None:
            stack.append((level, fields, items, lines))
            around, lines = lines, {}
            around[len(items)] = (number, lines)
            fields = {}
            items.append(fields)
            level = inside
        elif key is NO_KEY:
            lines[len(items)] = number
            if kind is not None:
                if kind == FLOW:
                    value, lines[len(items)] = copied(value), (number, flow_lines(value, number))
                else:
                    value, used = _literal(rows, number - first_line + 1, at >> 1, str(value))
                    next(islice(numbered, used, used), None)
            items.append(value)
            continue
        elif key in fields:
            raise OutsideSubsetError
        fields[key] = value
        lines[key] = number
        if kind is not None:
            if kind == OPEN:
                pending, pending_line = key, number
            elif kind == FLOW:
                fields[key], lines[key] = copied(value), (number, flow_lines(value, number))
            else:
                fields[key], used = _literal(rows, number - first_line + 1, level >> 1, str(value))
                next(islice(numbered, used, used), None)
    for entry in root_lines.values():
        return ParsedValue(root, entry if isinstance(entry, int) else entry[0], root_lines, None)
    return None


def _no_items() -> list[Json]:
    return []


def _literal(rows: list[str], start: int, column: int, chomping: str) -> tuple[str, int]:
    """The text of a literal block, and how many rows it takes; its key or dash is in this column, above `start`."""
    end = start
    total = len(rows)
    while end < total and not rows[end]:
        end += 1
    first = rows[end] if end < total else ""
    indent = len(first) - len(first.lstrip(" "))
    if indent <= column or indent == len(first) or first[indent] == "\t":
        raise OutsideSubsetError
    margin = " " * indent
    while end < total and (rows[end].startswith(margin) or not rows[end].strip(" ")):
        end += 1
    if end == total:
        if rows[-1]:  # libyaml gives a text that ends without a line feed no line feed
            raise OutsideSubsetError
        end -= 1
    # A row that is shorter than the margin is blank, and so is the rest of it.
    content = "\n".join([row[indent:] for row in rows[start:end]])
    if not content.replace("\n", "").replace("\t", "").isprintable():
        raise OutsideSubsetError
    bare = content.rstrip("\n")
    return bare + ("\n" * (len(content) - len(bare) + 1) if chomping == "+" else "" if chomping else "\n"), end - start
