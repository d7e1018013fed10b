"""A state directory with the example images, and the command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from podward_command import PROJECT, Podward


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
