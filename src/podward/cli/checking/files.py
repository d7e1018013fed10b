"""Which files a check is about: those that are named, and the manifests below directories."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from podward.check.globs import Glob, any_matches
from podward.cli.inputs import EXTENSIONS

STDIN = "-"


def listed(paths: Iterable[str], exclude: tuple[Glob, ...]) -> tuple[str, ...]:
    """Every file once, in order. What is named itself is never excluded, and hidden directories are passed over."""
    found: dict[str, None] = {}
    for path in paths:
        if path != STDIN and os.path.isdir(path):
            for file in _below(path):
                if not any_matches(exclude, file):
                    found[file] = None
        else:
            found[path] = None
    return tuple(found)


def _below(directory: str) -> Iterator[str]:
    """The manifests below a directory, sorted; links to directories are not followed, so that there is an end."""
    files: list[str] = []
    directories: list[str] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    directories.append(entry.name)
            elif entry.name.endswith(EXTENSIONS) and entry.is_file():
                files.append(entry.name)
    for name in sorted(files):
        yield os.path.normpath(os.path.join(directory, name))
    for name in sorted(directories):
        yield from _below(os.path.join(directory, name))
