"""Looking into the text of an expression, without its strings and comments.

Specification: CEL's lexical rules: strings in one or three quotes of either kind, raw with `r`, bytes with `b`;
comments from `//` to the end of the line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from podward.schema.cel import complaints

Fields: TypeAlias = "Mapping[str, Fields | str | None]"
"""The fields of a type, each with those of its own type, or that type's name; None where nobody knows which it has."""

_UNREAD = re.compile(
    r"""//[^\n]*|(?P<raw>\b[bB]?[rR][bB]?)?(?:'''.*?'''|\"\"\".*?\"\"\"|(?(raw)(?:'[^'\n]*'|"[^"\n]*")"""
    r"""|(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")))""",
    re.DOTALL,
)
_SELECTION = re.compile(r"(?<![\w.])([A-Za-z_]\w*)((?:\s*\.\s*[A-Za-z_]\w*)+)(?P<call>\s*\()?")
_STEP = re.compile(r"\s*(\.)\s*([A-Za-z_]\w*)")
_OPTIONALS = re.compile(
    r"\boptional\b|\.\s*\?|[\[{,]\s*\?|\.\s*(?:optMap|optFlatMap|first|last|unwrap|unwrapOpt|validate)\b"
)


def bare(text: str) -> str:
    """The expression with blanks in the place of its strings and comments."""
    return _UNREAD.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def has_optionals(text: str) -> bool:
    """Whether some value on the way may be an optional one."""
    return _OPTIONALS.search(bare(text)) is not None


def names_under(text: str, root: str) -> frozenset[str]:
    """The fields of the variable `root` that the expression speaks of."""
    return frozenset(steps[0][1] for name, steps, _ in _selections(bare(text)) if name == root)


def first_under(text: str, roots: Collection[str]) -> str:
    """The field that the expression asks first of one of these variables; empty where it asks for none."""
    return next((steps[0][1] for name, steps, _ in _selections(bare(text)) if name in roots), "")


def mentions(text: str, name: str) -> bool:
    """Whether the expression speaks of this variable."""
    return re.search(rf"(?<![\w.]){re.escape(name)}\b", bare(text)) is not None


def undefined_fields(text: str, roots: Fields) -> str:
    """What the compiler says of selected fields that the types of these variables don't have; empty if of none.

    A name that a macro binds hides the variable: then nothing is said.
    """
    plain = bare(text)
    found: list[str] = []
    for name, steps, called in _selections(plain):
        fields = roots.get(name)
        if re.search(rf"\(\s*{name}\s*,", plain):
            continue
        for number, (at, step) in enumerate(steps):
            if not isinstance(fields, Mapping) or (called and number == len(steps) - 1):
                break
            if step not in fields:
                found.append(complaints.located(text, at, f"undefined field '{step}'"))
                break
            fields = fields[step]
    return "\n".join(found)


def inlined(text: str, root: str, values: Mapping[str, str]) -> str:
    """The expression with `root.NAME` replaced by the expressions that these names stand for."""
    pieces: list[str] = []
    done = 0
    for found in _SELECTION.finditer(bare(text)):
        if found[1] != root:
            continue
        step = _STEP.match(found[2])
        if step is None or step[2] not in values:
            continue
        pieces += [text[done : found.start(1)], "(", values[step[2]], ")"]
        done = found.start(2) + step.end()
    return "".join([*pieces, text[done:]])


def _selections(plain: str) -> Iterator[tuple[str, list[tuple[int, str]], bool]]:
    """Each variable with the fields that are selected of it, each with the place of its dot; and if it is a call."""
    for found in _SELECTION.finditer(plain):
        steps = [(found.start(2) + step.start(1), step[2]) for step in _STEP.finditer(found[2])]
        yield found[1], steps, found["call"] is not None
