"""Logs that have grown large make way."""

from __future__ import annotations

import gzip
import socket
from pathlib import Path
from typing import cast

from podward.node.log_verbs import RotateRequest, rotate
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

NO_SERVICE = cast("RuntimeService", None)


def rotated(directory: Path, content: str, number: int) -> list[str]:
    log = directory / "0.log"
    log.write_text(content)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        rotate(NO_SERVICE, RotateRequest(str(log), f"{log}.2026010{number}-000000", 5), Caller(ours))
    return sorted(file.name for file in directory.iterdir())


def test_the_newest_stays_as_it_is_older_ones_are_compressed_and_the_oldest_go(tmp_path: Path) -> None:
    assert rotated(tmp_path, "one", 1) == ["0.log.20260101-000000"]
    assert rotated(tmp_path, "two", 2) == ["0.log.20260101-000000.gz", "0.log.20260102-000000"]
    with gzip.open(tmp_path / "0.log.20260101-000000.gz", "rt") as file:
        assert file.read() == "one"
    for number in (3, 4):
        rotated(tmp_path, str(number), number)
    names = rotated(tmp_path, "five", 5)
    assert names == [
        "0.log.20260102-000000.gz", "0.log.20260103-000000.gz", "0.log.20260104-000000.gz", "0.log.20260105-000000",
    ]  # fmt: skip


def test_what_an_interrupted_one_left_goes(tmp_path: Path) -> None:
    for name in ("0.log.20260101-000000", "0.log.20260101-000000.gz", "0.log.20260101-000000.tmp"):
        (tmp_path / name).write_text(name)
    names = rotated(tmp_path, "new", 2)
    assert names == ["0.log.20260101-000000.gz", "0.log.20260102-000000"]
