"""What is wrong with an expression, in the words and the order of cel-go, which the API server tells.

The compiler behind this says nearly the same, of other places at times. Specification: google/cel-go checker/errors.go
and common/errors.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_CODE = re.compile(r"^(?!ERROR)[A-Z_]+: |\s*\[[A-Z_]+\]$")
_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*?)(?=\n \| |\nERROR: |\Z)", re.DOTALL)
_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)' \(in container ''\)")
_APPLIED = re.compile(r"(found no matching overload for '([\w.]+)' applied to )'\((.*)\)'", re.DOTALL)
_ROOT = re.compile(r"(?<![\w.])([A-Za-z_]\w*)(?:\s*\.\s*\w+)*\s*$")
_FOLLOWING = "cannot be the range of a comprehension"


def located(text: str, at: int, what: str) -> str:
    """An error at this place of the expression."""
    if not text:
        return f"ERROR: <input>:1:0: {what}"
    before = text[:at]
    line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1)
    shown = text.split("\n")[line - 1]
    return f"ERROR: <input>:{line}:{column + 1}: {what}\n | {shown}\n | {'.' * column}^"


def as_told(said: str, text: str, compiled: str, original: Callable[[int], int]) -> str:
    """All errors; `original` is where in the text a place of what was compiled is."""
    plain = _CODE.sub("", said.strip()).strip().replace("\\u003F", "?")
    found: list[tuple[int, str]] = []
    for line, column, what in _ERROR.findall(plain):
        if int(line) < 1:
            return plain
        if _FOLLOWING in what:
            continue
        at, words = _at_its_place(text, original(_offset(compiled, int(line), int(column))), what.strip())
        found.append((at, words))
    if not found:
        return plain
    return "\n".join(located(text, at, words) for at, words in sorted(dict.fromkeys(found), key=lambda one: one[0]))


def _offset(text: str, line: int, column: int) -> int:
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1]) + column - 1


def _at_its_place(text: str, at: int, what: str) -> tuple[int, str]:
    if what.startswith("has() argument"):
        return at, "invalid argument to has() macro"
    undeclared = _UNDECLARED.fullmatch(what)
    braces = re.match(r"[\w.\s]*\{", text[at:])
    if undeclared is not None and braces is not None:
        return at + braces.end() - 1, what
    if undeclared is not None and "." in undeclared[1]:
        root = _ROOT.search(text[:at])
        if root is not None:
            return root.start(1), f"undeclared reference to '{root[1]}' (in container '')"
    applied = _APPLIED.fullmatch(what)
    if applied is not None and "." not in applied[2] and re.search(rf"\.\s*{applied[2]}\s*$", text[:at]):
        first, rest = _first_type(applied[3])
        return at, f"{applied[1]}'{first}.({rest})'"
    return at, what


def _first_type(types: str) -> tuple[str, str]:
    """The first of the types, and the others."""
    depth = 0
    for index, letter in enumerate(types):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            return types[:index], types[index + 1 :].strip()
    return types, ""
