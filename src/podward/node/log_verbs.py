"""What is done about a log that has grown large, in a worker: room is made, and it gets another name."""

from __future__ import annotations

import glob
import gzip
import os
import shutil

from msgspec import Struct

from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Verb

_COMPRESSED, _TEMPORARY = ".gz", ".tmp"


class RotateRequest(Struct, frozen=True):
    """The log that makes way, the name that it gets, and how many files there may be."""

    log: str
    renamed: str
    most_files: int = 5


class RotateAnswer(Struct, frozen=True):
    """It has that name."""


def rotate(_service: RuntimeService, asked: RotateRequest, _caller: Caller) -> RotateAnswer:
    """Make room among the logs that were renamed before, compress them, and rename the one that is written."""
    old = sorted(glob.glob(f"{glob.escape(asked.log)}.*"))
    for file in [file for file in old if file.endswith(_TEMPORARY) or f"{file}{_COMPRESSED}" in old]:
        os.unlink(file)
        old.remove(file)
    for file in old[: max(0, len(old) - (asked.most_files - 2))]:
        os.unlink(file)
        old.remove(file)
    for file in old:
        if not file.endswith(_COMPRESSED):
            _compress(file)
    os.rename(asked.log, asked.renamed)
    return RotateAnswer()


def _compress(file: str) -> None:
    made = f"{file}{_TEMPORARY}"
    source = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with open(source, "rb") as content:
        target = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(target, "wb") as out, gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
            shutil.copyfileobj(content, packed)
    os.rename(made, f"{file}{_COMPRESSED}")
    os.unlink(file)


ROTATE_LOG: Verb[RuntimeService, RotateRequest, RotateAnswer] = Verb("RotateLog", RotateRequest, RotateAnswer, rotate)
VERBS = (ROTATE_LOG,)
