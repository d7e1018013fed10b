"""A unified diff of two versions of one file, as `git apply` and `patch -p1` accept it."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CONTEXT = 3  # equal lines shown around what differs
_LONG = 2000
"""Lines between the first and the last difference. In longer texts difflib ignores frequent lines, to be fast."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def unified(old: bytes, new: bytes, name: str) -> str:
    """The unified diff, each line with its line break as it is in the file; empty if nothing differs."""
    before, after = _lines(old), _lines(new)
    hunks = "".join(_hunk(before, after, group) for group in _groups(before, after))
    ours, theirs = (name, name) if name.startswith("/") else (f"a/{name}", f"b/{name}")
    return f"--- {_named(ours)}\n+++ {_named(theirs)}\n{hunks}" if hunks else ""


def _named(name: str) -> str:
    """The file's name as both tools read it: a tab ends a name with a blank, quotes hold one with odd characters."""
    if name.isprintable() and '"' not in name and "\\" not in name:
        return f"{name}\t" if " " in name else name
    return '"' + "".join(map(_spelt, name)) + '"'


def _spelt(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    return char if char.isprintable() else "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))


_Opcode = tuple[str, int, int, int, int]


def _groups(before: Sequence[str], after: Sequence[str]) -> Iterator[list[_Opcode]]:
    """The differences in groups, with equal lines around each; differences that are close share a group."""
    group: list[_Opcode] = []
    for kind, i1, i2, j1, j2 in _opcodes(before, after):
        if kind != "equal":
            group.append((kind, i1, i2, j1, j2))
            continue
        far = i2 - i1 > 2 * _CONTEXT
        if group:
            shown = min(i2 - i1, _CONTEXT) if far else i2 - i1
            group.append((kind, i1, i1 + shown, j1, j1 + shown))
            if far:
                yield group
                group = []
        if not group:
            shown = min(i2 - i1, _CONTEXT)
            group = [(kind, i2 - shown, i2, j2 - shown, j2)]
    if group and group[-1][0] == "equal":
        kind, i1, i2, j1, j2 = group[-1]
        cut = max(i2 - i1 - _CONTEXT, 0)
        group[-1] = (kind, i1, i2 - cut, j1, j2 - cut)
    if any(kind != "equal" for kind, *_ in group):
        yield group


def _opcodes(before: Sequence[str], after: Sequence[str]) -> Iterator[_Opcode]:
    """The runs of equal and of different lines; no two equal runs follow each other.

    If both texts have the same number of documents, or of items of a list at the margin, these are compared in pairs.
    """
    ours, theirs = _sections(before), _sections(after)
    if len(ours) != len(theirs):
        ours, theirs = [0, len(before)], [0, len(after)]
    equal = (0, 0, 0, 0)
    for i, end, j, last in zip(ours, ours[1:], theirs, theirs[1:], strict=False):
        for kind, i1, i2, j1, j2 in _compared(before[i:end], after[j:last]):
            if kind == "equal":
                equal = (equal[0], i2 + i, equal[2], j2 + j)
                continue
            if equal[1] > equal[0]:
                yield ("equal", *equal)
            yield (kind, i1 + i, i2 + i, j1 + j, j2 + j)
            equal = (i2 + i, i2 + i, j2 + j, j2 + j)
    if equal[1] > equal[0]:
        yield ("equal", *equal)


def _compared(ours: Sequence[str], theirs: Sequence[str]) -> Sequence[_Opcode]:
    if ours == theirs:
        return [("equal", 0, len(ours), 0, len(theirs))]
    matcher = SequenceMatcher(None, ours, theirs, autojunk=max(len(ours), len(theirs)) > _LONG)
    return matcher.get_opcodes()


def _sections(lines: Sequence[str]) -> list[int]:
    """The lines at which documents, and items of a list at the margin, begin; and the end."""
    return [0, *(at for at, line in enumerate(lines) if at and line.startswith(("---", "- "))), len(lines)]


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
