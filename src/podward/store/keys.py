"""Ranges of keys. Keys are compared by their UTF-8, which is the order of their code points."""

from __future__ import annotations

_LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def end_of(prefix: str) -> str:
    """The first key that is greater than all that begin with `prefix`; of an empty one, a key greater than all."""
    kept = prefix.rstrip(chr(_LAST))
    if not kept:
        return chr(_LAST)
    following = ord(kept[-1]) + 1
    if following in _SURROGATES:  # no characters
        following = _SURROGATES.stop
    return kept[:-1] + chr(following)
