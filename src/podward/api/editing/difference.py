"""The difference of two texts of one file, as a unified diff that `git apply` and `patch -p1` take."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTEXT = 3  # equal lines shown around what differs
_LONG = (
    2000  # lines between the first and the last difference; beyond, frequent lines are no landmarks: seconds, not hours
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def unified(old: bytes, new: bytes, name: str) -> str:
    """The lines that differ, each with its line break as it is in the file; empty if nothing does."""
    before, after = _lines(old), _lines(new)
    prefix = "" if name.startswith("/") else "a/", "" if name.startswith("/") else "b/"
    hunks = "".join(_hunk(before, after, group) for group in _groups(before, after))
    return f"--- {prefix[0]}{name}\n+++ {prefix[1]}{name}\n{hunks}" if hunks else ""


_Opcode = tuple[str, int, int, int, int]


def _groups(before: Sequence[str], after: Sequence[str]) -> Iterator[list[_Opcode]]:
    """What differs, in groups that are closer than twice the context, with the context around each."""
    start = 0
    shortest = min(len(before), len(after))
    while start < shortest and before[start] == after[start]:
        start += 1
    end = 0
    while end < shortest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = max(start - _CONTEXT, 0)
    ends = [max(len(lines) - end, 0) for lines in (before, after)]
    ours = before[first : min(ends[0] + _CONTEXT, len(before))]
    theirs = after[first : min(ends[1] + _CONTEXT, len(after))]
    if ours == theirs:
        return
    matcher = SequenceMatcher(None, ours, theirs, autojunk=max(len(ours), len(theirs)) > _LONG)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        yield [(kind, i1 + first, i2 + first, j1 + first, j2 + first) for kind, i1, i2, j1, j2 in group]


def _hunk(before: Sequence[str], after: Sequence[str], group: Sequence[_Opcode]) -> str:
    lines = [f"@@ -{_range(group[0][1], group[-1][2])} +{_range(group[0][3], group[-1][4])} @@\n"]
    for kind, i1, i2, j1, j2 in group:
        if kind == "equal":
            lines += [_line(" ", line) for line in before[i1:i2]]
        else:
            lines += [_line("-", line) for line in before[i1:i2]]
            lines += [_line("+", line) for line in after[j1:j2]]
    return "".join(lines)


def _line(sign: str, line: str) -> str:
    return sign + line if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-16" if content[:2] in _UTF16_MARKS else "utf-8", "replace")
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
