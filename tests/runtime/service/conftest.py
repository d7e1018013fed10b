"""A runtime service whose verbs are done by a real engine, in directories of the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prepared_images import prepared
from served_containers import prepare_image
from served_runtime import Served

from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions


def _ask_runtimes(root: Path) -> None:
    RuntimeService(str(root), ServiceOptions()).choose_all()


@pytest.fixture(scope="session")
def runtimes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory that knows the versions of the OCI runtimes: to ask them takes 40 ms."""
    return prepared(tmp_path_factory, "runtimes", _ask_runtimes)


@pytest.fixture(scope="session")
def small_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `Containers.have` copies."""
    return prepared(tmp_path_factory, "small", prepare_image)


@pytest.fixture
def served(tmp_path: Path, runtimes: Path) -> Iterator[Served]:
    """A service whose Pods have a network of their own."""
    shutil.copy2(runtimes / "runtime.json", tmp_path)
    made = Served(RuntimeService(str(tmp_path), ServiceOptions(cni_conf_dir=str(tmp_path / "none"))))
    try:
        yield made
    finally:
        made.close()
