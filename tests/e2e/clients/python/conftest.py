"""What the programs of this folder are told of the server: ../test_python_clients.py runs them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def config() -> Path:
    """A kubeconfig for it, with a context for each of the users."""
    return Path(os.environ["KUBECONFIG"])
