"""What tests of commands share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from checked import Check


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Check]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    yield Check(tmp_path, capsys)
    gc.enable()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The processes that the test has forked and that are there still, zombies too.

    Not every child of this process: it may have become a subreaper in an earlier test, and then gets the orphans of
    whatever ran before.
    """
    forked: set[int] = set()
    fork = os.fork

    def counted() -> int:
        if pid := fork():
            forked.add(pid)
        return pid

    monkeypatch.setattr(os, "fork", counted)

    def still_there() -> list[int]:
        present = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
        return sorted(forked.intersection(map(int, present)))

    return still_there
