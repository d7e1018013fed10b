"""Patterns of file names: those of .gitignore, without its exceptions (`!`).

`*`, `?` and `[…]` match within one part of a path, `**` matches any number of parts. A pattern without a slash (except
at its end) matches at any depth; a pattern with a slash matches from the beginning. A pattern that matches a directory
matches everything below it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from fnmatch import translate

from msgspec import Struct

_ANY = "**"


class Glob(Struct, frozen=True):
    """One pattern; `parts` are its parts as regular expressions, None for `**`."""

    pattern: str
    parts: tuple[re.Pattern[str] | None, ...]

    def matches(self, file: str) -> bool:
        """Whether the pattern matches this file; `./` and double slashes in its name do not matter."""
        names = posixpath.normpath(file).split("/")
        reached = self._passed(0, {0})
        for name in names:
            if len(self.parts) in reached:
                return True  # the directory itself
            stepped = set()
            for at in reached:
                part = self.parts[at]
                if part is None:
                    stepped |= self._passed(at, {at})
                elif part.match(name):
                    stepped |= self._passed(at + 1, {at + 1})
            reached = stepped
        return len(self.parts) in reached

    def _passed(self, at: int, reached: set[int]) -> set[int]:
        """The parts of the pattern that are reached from `at` without a name: `**` may match no part."""
        while at < len(self.parts) and self.parts[at] is None:
            at += 1
            reached.add(at)
        return reached


def glob(pattern: str) -> Glob:
    """The pattern, compiled."""
    directory = pattern.rstrip("/")
    parts = [part for part in directory.split("/") if part not in ("", ".")]
    if "/" not in directory:
        parts.insert(0, _ANY)
    elif directory.startswith("/"):
        parts.insert(0, "")
    return Glob(pattern, tuple(None if part == _ANY else re.compile(translate(part)) for part in parts))


def any_matches(globs: Iterable[Glob], file: str) -> bool:
    """Whether one of the patterns matches this file."""
    return any(each.matches(file) for each in globs)
