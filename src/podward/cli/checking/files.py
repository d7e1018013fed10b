"""Which files a check is about: those that are named, and the manifests below directories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from podward.check.globs import Glob, any_matches
from podward.cli.inputs import EXTENSIONS

STDIN = "-"


def listed(paths: Iterable[str], exclude: tuple[Glob, ...], as_matched: Callable[[str], str] = str) -> tuple[str, ...]:
    """Every file once, in order. What is named itself is never excluded, and hidden directories are passed over.

    `as_matched` is the name of a file that patterns see.
    """
    found: dict[str, None] = {}
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            for file in _below(path):
                if not any_matches(exclude, as_matched(file)):
                    found[file] = None
        else:
            found[path] = None
    return tuple(found)


def without(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The names, less those of these other files: a baseline may lie among the manifests."""
    left_out = {os.path.realpath(other) for other in others}
    return tuple(names) if not left_out else tuple(name for name in names if os.path.realpath(name) not in left_out)


def _below(directory: str) -> Iterator[str]:
    """The manifests below a directory, sorted; links to directories are not followed, so that there is an end.

    Pipes, sockets and devices are no manifests.
    """
    files: list[str] = []
    directories: list[str] = []
    try:
        entries = list(os.scandir(directory))
    except OSError:
        yield directory  # reading it says what is wrong: what can't be looked into was not checked
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not entry.name.startswith("."):
                directories.append(entry.name)
        elif entry.name.endswith(EXTENSIONS) and _is_file(entry):
            files.append(entry.name)
    for name in sorted(files):
        yield os.path.normpath(os.path.join(directory, name))
    for name in sorted(directories):
        yield from _below(os.path.join(directory, name))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is a regular file, or a link that leads nowhere: that this can't be read is to be told."""
    try:
        return entry.is_file() or (entry.is_symlink() and not os.path.exists(entry.path))
    except OSError:  # a link to itself
        return True
