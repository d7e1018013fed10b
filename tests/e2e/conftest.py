"""A state directory with the example images, and the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from podward_command import Podward
from prepared_images import with_case_images


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the images that the scenarios, examples and cases use."""
    return with_case_images(tmp_path_factory)


@pytest.fixture
def podward(images: Path) -> Iterator[Podward]:
    """The command; afterwards nothing may be left of what it ran."""
    command = Podward(images)
    yield command
    command.end()
    assert command.leftovers() == []
