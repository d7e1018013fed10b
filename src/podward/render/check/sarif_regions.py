"""SARIF's regions and replacements: places in a text, and the difference between two texts as replacements.

Specification: OASIS SARIF 2.1.0, 3.30.2 (text regions) and 3.57 (replacements). Lines and columns count from 1, a
column is a UTF-16 code unit (the `columnKind` of editors), a line ends with LF or CR LF, a byte order mark does not
count. A region ends after its last character; an empty region is a place for an insertion. Replacements refer to the
old text, are in its order, and never touch each other.

Consumers disagree whether there is a line after the text's last line break. So an addition at the end of a text is
inserted before its last line break, which gives the same text. Only if the line break itself is removed is that line
used.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from podward.render.check.sarif_model import Message, Region, Replacement

_LONG = 2000  # lines that differ; in longer texts difflib ignores frequent lines, to be fast


def of_line(line: str, number: int) -> Region:
    """The region of a line without the white space around its text; the whole line if it has no text, or is unknown."""
    written = line.strip()
    if not written:
        return Region(number)
    start = len(line) - len(line.lstrip())
    first = 1 + _units(line[:start])
    return Region(number, first, number, first + _units(written))


def replacements(before: str, after: str) -> tuple[Replacement, ...]:
    """The replacements that turn `before` into `after`; both are without a byte order mark."""
    old, new = _lines(before), _lines(after)
    starts = [0, *accumulate(map(len, old))]
    old_text = _OldText(before, old, starts)
    return tuple(
        old_text.replacement(starts[i1], starts[i2], "".join(new[j1:j2])) for i1, i2, j1, j2 in _differing(old, new)
    )


def _lines(text: str) -> list[str]:
    """The lines with their line breaks; `splitlines` would also split at characters that SARIF does not count."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """The runs of lines that differ: their beginning and end in `old`, and in `new`."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=max(len(ours), len(theirs)) > _LONG)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind != "equal":
            yield head + i1, head + i2, head + j1, head + j2


class _OldText:
    """The old text, its lines, and the offsets at which they begin."""

    def __init__(self, text: str, lines: Sequence[str], starts: Sequence[int]) -> None:
        self._text = text
        self._lines = lines
        self._starts = starts

    def replacement(self, start: int, end: int, new: str) -> Replacement:
        """The replacement of the text from `start` to `end` by `new`, without the words at both ends that are equal."""
        old = self._text[start:end]
        head, tail = _staying(old, new)
        start, end, new = self._before_last_break(start + head, end - tail, new[head : len(new) - tail])
        (line, column), (last, after) = self._place(start), self._place(end)
        return Replacement(Region(line, column, last, after), Message(new))

    def _before_last_break(self, start: int, end: int, new: str) -> tuple[int, int, str]:
        """The same replacement without a place after the text's last line break, if that is possible."""
        newline = "\r\n" if self._text.endswith("\r\n") else "\n"
        width = len(newline)
        if end < len(self._text) or not self._text.endswith(newline):
            return start, end, new
        if start == end and new.endswith(newline):
            return start - width, end - width, newline + new[:-width]
        if not new and self._text.endswith(newline, 0, start):
            return start - width, end - width, new
        return start, end, new

    def _place(self, at: int) -> tuple[int, int]:
        """Line and column."""
        index = bisect_right(self._starts, at) - 1
        if index and index == len(self._lines) and not self._text.endswith("\n"):
            index -= 1
        return index + 1, 1 + _units(self._text[self._starts[index] : at])


def _staying(old: str, new: str) -> tuple[int, int]:
    """How many characters are equal at the beginning and at the end: only whole words, and no half of a CR LF."""
    if not old or not new:
        return 0, 0
    head = _alike(old, new)
    while head and (_is_word(old[head - 1]) or _halves(old, head)):
        head -= 1
    tail = _alike(old[head:][::-1], new[head:][::-1])
    while tail and (_is_word(old[-tail]) or _halves(old, len(old) - tail)):
        tail -= 1
    return head, tail


def _alike(one: str, other: str) -> int:
    """How many equal characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_-."


def _halves(text: str, at: int) -> bool:
    """Whether this place is between CR and LF."""
    return text[at - 1 : at + 1] == "\r\n"


def _units(text: str) -> int:
    """The number of UTF-16 code units."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)
