"""How deep JSON may nest: what is deeper is refused before anything walks through it, and runs out of stack.

Kubernetes' decoders go down 10,000 levels. No object needs a hundredth of that, and here every level costs some calls.
YAML may nest 100 levels; JSON a little more, since managedFields nest deeper than what they are about.
"""

from __future__ import annotations

import re
from itertools import accumulate

DEEPEST = 128
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def too_deep(text: bytes) -> str:
    """The bracket that opens one level too many; empty where none does."""
    if text.count(b"{") + text.count(b"[") <= DEEPEST:
        return ""
    return _deepest(text) and _deepest(_STRING.sub(b"", text))  # brackets in strings do not count


def _deepest(text: bytes) -> str:
    brackets = text.translate(None, _NO_BRACKETS)
    depths = accumulate(map(_STEPS.__getitem__, brackets))
    return next((chr(brackets[index]) for index, depth in enumerate(depths) if depth > DEEPEST), "")
