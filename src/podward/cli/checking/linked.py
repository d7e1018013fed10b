"""Links among the files that `--fix` changes: none leads out of what is checked, and each file is changed once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from msgspec import Struct


class ChangeableFiles(Struct, frozen=True):
    """The files that may be changed, each under one name; `left` are links that lead elsewhere, with their targets."""

    files: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def each_once(names: Iterable[str], trees: Sequence[str]) -> ChangeableFiles:
    """The files of these names; `trees` are the directories that are checked.

    A file that is named is changed under that name. A link is followed if it leads to a file in one of the trees.
    """
    roots = [os.path.realpath(tree) for tree in trees]
    files: dict[str, str] = {}
    left: list[tuple[str, str]] = []
    for name in sorted(names, key=os.path.islink):  # a file goes before the links to it
        target = os.path.realpath(name)
        inside = os.path.join(os.path.realpath(os.path.dirname(name)), os.path.basename(name)) == target
        if inside or any(target.startswith(f"{root.rstrip('/')}/") for root in roots):
            files.setdefault(target, name)
        else:
            left.append((name, target))
    return ChangeableFiles(tuple(sorted(files.values())), tuple(left))
