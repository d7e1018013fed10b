"""Words of a container's command as the manifest has them, in place of those that variables were put into.

A variable's value may be a password: what is told of a command, and what a runtime says of it, has the word that stands
in the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import escape, sub

HIDDEN = "(hidden: --show-env)"


def as_written(given: Sequence[object], written: object) -> dict[str, str]:
    """What stands for each of the `given` words: the one that was `written` in its place, where they differ."""
    listed = written if isinstance(written, list | tuple) and len(written) == len(given) else [HIDDEN] * len(given)
    return {str(word): str(own) for word, own in zip(given, listed, strict=True) if word != own}


def with_written_words(text: str, words: Mapping[str, str]) -> str:
    """The sentence with each word as it was written; the longest first, as one may be a part of another."""
    for word in sorted(filter(None, words), key=len, reverse=True):
        written = words[word].replace("\\", r"\\")
        text = sub(rf"(?<!\w){escape(word)}(?!\w)", written, text)
    return text
