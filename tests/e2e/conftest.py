"""A state directory with the example images, the command, and the tests that wait for their behaviour."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pending
import pytest
from podward_command import PROJECT, Podward

LEFT_OUT = pytest.StashKey[int]()
"""How many pending tests this run left out."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    waiting, only = pending.all_ids(), pending.only_these()
    dropped = [item for item in items if (item.nodeid in waiting) != only]
    items[:] = [item for item in items if (item.nodeid in waiting) == only]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    config.stash[LEFT_OUT] = 0 if only else len(dropped)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if number := config.stash.get(LEFT_OUT, 0):
        names = ", ".join(str(file.relative_to(PROJECT)) for file in pending.lists())
        terminalreporter.line(f"pending: {number} tests of behaviour that is not built yet were left out ({names})")


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the images that the scenarios and examples use."""
    root = tmp_path_factory.mktemp("podward", numbered=True)
    subprocess.run(
        [sys.executable, PROJECT / "examples" / "images" / "build_images.py"],
        env={**os.environ, "PODWARD_ROOT": str(root)},
        check=True,
        capture_output=True,
    )
    return root


@pytest.fixture
def podward(images: Path) -> Iterator[Podward]:
    """The command; afterwards nothing may be left of what it ran."""
    command = Podward(images)
    yield command
    command.end()
    assert command.leftovers() == []
