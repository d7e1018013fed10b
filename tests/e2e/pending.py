"""Tests of behaviour that is described but not built yet.

A file called PENDING holds one test id a line, as pytest prints it. These tests are left out of a run and counted.
Whoever builds the behaviour removes the line. `PODWARD_PENDING=only pytest tests/e2e` runs the pending tests alone.
"""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent


def lists() -> list[Path]:
    """Every PENDING file."""
    return sorted(HERE.rglob("PENDING"))


def ids(file: Path) -> list[str]:
    """The test ids of one file."""
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def all_ids() -> set[str]:
    """The test ids of all files."""
    return {test for file in lists() for test in ids(file)}


def only_these() -> bool:
    """Whether the pending tests are run, and no others."""
    return os.environ.get("PODWARD_PENDING") == "only"
