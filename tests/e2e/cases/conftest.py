"""The images that the inputs name beside those of the examples."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def case_images(images: Path) -> Path:
    """The state directory, which has these images too."""
    return images
