"""Which of the checked files are patches of a kustomization: half an object, which kustomize puts over a whole one.

Specification: kustomize.config.k8s.io: `patches` and `patchesJson6902` name files by `path`, `patchesStrategicMerge`
directly, each relative to the kustomization. A file lies at most three directories below the kustomization that is
looked for beside a file that was named itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from podward.cli import inputs
from podward.cli.checking.files import STDIN, Searched
from podward.cli.checking.unread import KUSTOMIZATIONS
from podward.documents.reader import read_all
from podward.errors import InputError

_ABOVE = 3


def patches_of(searched: Searched, named: Iterable[str]) -> tuple[str, ...]:
    """The files that a kustomization lists as patches; `named` are the paths of the command line."""
    found = dict.fromkeys((*searched.kustomizations, *_around(named)))
    patches = {patch for name in found for patch in _patches(os.path.abspath(name))}
    return tuple(name for name in searched.names if os.path.abspath(name) in patches) if patches else ()


def _around(named: Iterable[str]) -> Iterator[str]:
    """The kustomizations in the directories of the named paths, and above these."""
    directories: dict[str, None] = {}
    for path in named:
        if path == STDIN or inputs.is_url(path):
            continue
        directory = os.path.abspath(path)
        for _ in range(_ABOVE + 1):
            directory = os.path.dirname(directory)
            directories[directory] = None
    for directory in directories:
        for name in KUSTOMIZATIONS:
            file = os.path.join(directory, name)
            if os.path.isfile(file):
                yield file


def _patches(name: str) -> Iterator[str]:
    """The patches of a kustomization; none of one that can't be read, which is told where it is checked."""
    try:
        documents = read_all(inputs.content_of(name), name).documents
    except InputError:
        return
    directory = os.path.dirname(name)
    for document in documents:
        for field in ("patches", "patchesStrategicMerge", "patchesJson6902"):
            listed = document.raw.get(field)
            for each in listed if isinstance(listed, list) else ():
                path = each.get("path") if isinstance(each, dict) else each
                if isinstance(path, str) and "\n" not in path:
                    yield os.path.normpath(os.path.join(directory, path))
