"""pytest's fixtures of a cluster: `pytest_plugins = ["podward.testing.fixtures"]` in a project's conftest.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from podward.testing.cluster import Cluster


@pytest.fixture(scope="session")
def podward_flags() -> Sequence[str]:
    """Flags of `podward serve`; define a fixture of this name to have others."""
    return ()


@pytest.fixture(scope="session")
def podward_cluster(podward_flags: Sequence[str]) -> Iterator[Cluster]:
    """A cluster for all tests of a run."""
    with Cluster(*podward_flags) as cluster:
        yield cluster
