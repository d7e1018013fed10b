"""A runtime service whose verbs are done by a real engine, in directories of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_runtime import Served

from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A service whose Pods have a network of their own."""
    made = Served(RuntimeService(str(tmp_path), ServiceOptions(cni_conf_dir=str(tmp_path / "none"))))
    try:
        yield made
    finally:
        made.close()
