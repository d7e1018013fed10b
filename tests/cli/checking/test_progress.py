"""The bar is for a terminal on which somebody waits, and for nothing else."""

from __future__ import annotations

import io
import os
import pty
import sys

import pytest

from podward.cli.checking import progress
from podward.cli.checking.progress import Progress


def written_to_a_terminal(monkeypatch: pytest.MonkeyPatch, steps: int) -> str:
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as reader, open(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        bar = Progress(steps)
        for _ in range(steps):
            bar.step()
        bar.end()
        print("END", file=terminal, flush=True)
        said = b""
        while b"END" not in said:
            said += os.read(reader.fileno(), 4096)
    return said.partition(b"END")[0].decode()


def test_long_work_shows_how_far_it_is_and_takes_that_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    said = written_to_a_terminal(monkeypatch, 4)
    assert [part.rpartition("] ")[2] for part in said.split("\r")[1:-1]] == [" 25 %", " 50 %", " 75 %", "100 %"]
    assert said.endswith("\r\x1b[K")


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert written_to_a_terminal(monkeypatch, 1000) == ""


def test_a_pipe_and_a_dumb_terminal_are_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setenv("TERM", "dumb")
    assert written_to_a_terminal(monkeypatch, 10) == ""
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    bar = Progress(10)
    bar.step()
    bar.end()
    assert stream.getvalue() == ""
