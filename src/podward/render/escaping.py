"""Escaping and shortening text from outside, such as manifests and images, for XML, HTML, logs and terminals.

Characters that XML 1.0 (fifth edition, 2.2) forbids, and invisible characters that reorder or break lines, are written
as Python escapes. The five characters that mean something to an XML parser become entities. Widths are counted in cells
of a monospaced font: East Asian wide characters take two.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

LONGEST = 2000
"""The most characters of one value that are shown, for instance in a tool tip."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SPELT = {"::": r":\x3a", "##": r"#\x23"}
_NEEDS_ENTITY = str.maketrans(_ENTITIES)


def printable(text: str) -> str:
    r"""`text` with escapes for everything that is not printable (`\x1b`, `\n`, `\u202e`)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def without_commands(text: str) -> str:
    r"""`text` without commands for programs that read logs: `::word` and `##[` become `:\x3aword` and `#\x23[`.

    GitHub's runner (actions/runner, ActionCommand.cs) takes `::command` for one at the beginning of a line, white space
    aside, and `##[command]` anywhere in it; Azure's agent `##vso[command]` and TeamCity `##teamcity[command]`.
    """
    if "::" not in text and "##" not in text:
        return text
    import re

    return re.sub("::(?=[A-Za-z])|##(?=[A-Za-z]*\\[)", lambda found: _SPELT[found[0]], text)


def message(text: str) -> str:
    r"""A message for a terminal or a log: printable, and without commands for programs that read logs.

    Lines after the first are indented. So none that a manifest, an image or a runtime put in looks like ours.
    """
    text = without_commands(text)
    if text.isprintable():
        return text
    first, *rest = ("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))
    return "\n".join((first, *(line if line.startswith("  ") or not line else f"  {line}" for line in rest)))


def printable_json(text: str) -> str:
    r"""A JSON text in which every character that is not printable is escaped: \u009b, \u202e, \u2028.

    Programs read the same JSON. A terminal finds no control sequence in it. The log of a CI system finds no command:
    within a line that begins with a quote or a bracket, commands contain `##` (see `without_commands`).
    """
    if "##" in text:
        text = text.replace("##", "#\\u0023")
    if text.isascii() and "\x7f" not in text:
        return text
    return "\n".join(line if line.isprintable() else _escaped_in_json(line) for line in text.split("\n"))


def _escaped_in_json(line: str) -> str:
    return "".join(c if c.isprintable() else _json_escape(c) for c in line)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def json_text(value: object, indent: int) -> str:
    """A value as indented JSON, and a new line, with nothing in it that drives a terminal."""
    from msgspec import json  # error messages need it not

    return printable_json(json.format(json.encode(value), indent=indent).decode()) + "\n"


def escape(text: str) -> str:
    """`text` for an element's content or a quoted attribute; printable, and at most its first `LONGEST` characters."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"
    return printable(text).translate(_NEEDS_ENTITY)


def width(text: str) -> int:
    """The number of cells that `text` takes in a monospaced font."""
    if text.isascii():
        return len(text)
    widths = "".join(map(unicodedata.east_asian_width, text))  # no other name has one of these two letters
    return len(text) + widths.count("W") + widths.count("F")


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def clipped(text: str, room: int) -> str:
    """The beginning of `text`, printable, in at most `room` cells; an ellipsis replaces the rest."""
    text = printable(text[: room + 1])
    if width(text) <= room:
        return text
    return _beginning(text, room - 1) + "…"


def clipped_front(text: str, room: int) -> str:
    """The end of `text`, printable, in at most `room` cells; for paths, which differ at their ends."""
    text = printable(text[-room - 1 :])
    if width(text) <= room:
        return text
    return "…" + _beginning(text[::-1], room - 1)[::-1]


def _beginning(text: str, room: int) -> str:
    if text.isascii():
        return text[:room]
    taken = 0
    for index, character in enumerate(text):
        taken += _cells(character)
        if taken > room:
            return text[:index]
    return text


def wrapped(text: str, room: int, lines: int) -> list[str]:
    """`text`, printable, broken at blanks into at most `lines` lines of `room` cells; an ellipsis replaces the rest."""
    found = list(_lines(printable(text[: room * lines * 2]), room))
    if len(found) > lines:
        found = [*found[: lines - 1], clipped(f"{found[lines - 1]} {found[lines]}", room)]
    return found


def _lines(text: str, room: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        while width(word) > room:  # no blank to break at
            if line:
                yield line
                line = ""
            head = _beginning(word, room) or word[0]
            yield head
            word = word[len(head) :]  # noqa: PLW2901
        if line and width(line) + 1 + width(word) > room:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line and word else line or word
    if line:
        yield line
