"""How deep bodies may nest: what is deeper is refused before anything walks through it, and runs out of stack.

Kubernetes' decoders go down 10,000 levels. No object needs a hundredth of that, and here every level costs some calls.
What no type knows may nest deeper, since it is read over. JSON may nest a little deeper than YAML that is applied,
since managedFields nest deeper than what they are about.
"""

from __future__ import annotations

import re
from itertools import accumulate

from podward.api.json_value import Json

DEEPEST, DEEPEST_READ = 128, 900
"""Levels that an object may have, and those that a body may have of which some are read over."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def too_deep(text: bytes, deepest: int = DEEPEST) -> str:
    """The bracket of JSON that opens one level too many; empty where none does."""
    if text.count(b"{") + text.count(b"[") <= deepest:
        return ""
    return _bracket(text, deepest) and _bracket(_STRING.sub(b"", text), deepest)  # those in strings do not count


def _bracket(text: bytes, deepest: int) -> str:
    brackets = text.translate(None, _NO_BRACKETS)
    depths = accumulate(map(_STEPS.__getitem__, brackets))
    return next((chr(brackets[index]) for index, depth in enumerate(depths) if depth > deepest), "")


def is_too_deep(value: Json) -> bool:
    """Whether a value nests deeper than an object may."""
    level: list[Json] = [value]
    for _ in range(DEEPEST + 1):
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return any(isinstance(each, dict | list) for each in level)
