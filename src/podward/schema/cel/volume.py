"""How much text an expression may go through, before it is evaluated: what would be too much is not begun.

Kubernetes counts costs while an expression is evaluated, by the length of the texts that are made and searched, and
ends it at a limit. The library here counts steps of comprehensions alone, so a text of a megabyte that is put together
in each of ten thousand steps would take all memory. This is the worst case by the expression's own words and the sizes
of what it is about: as many steps as its macros can take, each with its longest text in every function of texts. The
limits are far above Kubernetes' (10 million characters for one expression), so that what it allows is allowed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from podward.schema.cel import source

_MOST_MADE, _MOST_SEARCHED = 200_000_000, 5_000_000_000
"""Characters."""
_STEPS = 10_000
_LOOP = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter|sortBy)\s*(?=\()")
_MAKING = re.compile(
    r"\+|\.\s*(?:replace|join|format|split|substring|lowerAscii|upperAscii|reverse|trim)\s*\(|\bstrings\.quote\b"
)
_SEARCHING = re.compile(r"\.\s*(?:matches|contains|indexOf|lastIndexOf)\s*\(")
_REPLACING = re.compile(r"\.\s*replace\s*\(")
_BY_LITERALS = re.compile(r"\.\s*replace\s*\(\s*,\s*(?:,\s*\d+\s*)?\)")
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_FEW = 20


class Volume(Struct, frozen=True):
    """What an expression has of each: loops inside of one another, functions that make texts, and that search them.

    `literal` is the length of its longest own text; `grows` whether one text may be put into another many times.
    """

    loops: int
    making: int
    searching: int
    literal: int
    replacing: bool
    grows: bool

    @classmethod
    def of(cls, text: str) -> Volume:
        """The volume of an expression."""
        plain = source.bare(text)
        making, searching, replacing, plainly = (
            len(pattern.findall(plain)) for pattern in (_MAKING, _SEARCHING, _REPLACING, _BY_LITERALS)
        )
        literal = max((len(found) for found in _LITERAL.findall(text)), default=1)
        return cls(_depth(plain), making, searching, literal, replacing > 0, replacing > plainly)

    def is_too_large(self, variables: Mapping[str, Any]) -> bool:
        """Whether it might go through more than the limits, with these variables."""
        if not (self.making or self.searching) or not (self.loops or self.replacing or self.making > _FEW):
            return False
        longest, largest = _sizes(variables)
        steps: int = min(_STEPS, largest ** min(self.loops, 4))
        each = max(longest, self.literal) if self.grows else self.literal if self.replacing else 1
        made, searched = steps * self.making * longest * each, steps * self.searching * longest
        return made > _MOST_MADE or searched > _MOST_SEARCHED


def _depth(plain: str) -> int:
    """How many loops are inside of one another at most."""
    begins = {found.end() for found in _LOOP.finditer(plain)}
    open_: list[bool] = []
    deepest = 0
    for at, character in enumerate(plain):
        if character == "(":
            open_.append(at in begins)
            deepest = max(deepest, sum(open_)) if at in begins else deepest
        elif character == ")" and open_:
            open_.pop()
    return deepest


def _sizes(value: Any) -> tuple[int, int]:  # noqa: ANN401 - of whatever variables are
    """The length of the longest text, and the size of the largest list or map."""
    longest = largest = 1
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str | bytes):
            longest = max(longest, len(found))
        elif isinstance(found, Mapping):
            largest = max(largest, len(found))
            waiting += found.keys()
            waiting += found.values()
        elif isinstance(found, list):
            largest = max(largest, len(found))
            waiting += found
    return longest, largest
