"""A CRI server for the tests of a module, and one of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cri_server import Client, CriServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CriServer]:
    """One for all tests of a module."""
    with CriServer(tmp_path_factory.mktemp("cri")) as made:
        yield made


@pytest.fixture
def client(server: CriServer) -> Client:
    """A client of it."""
    return server.client


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., CriServer]]:
    """Makes a server with flags of the test's."""
    with ExitStack() as ends:
        yield lambda *flags: ends.enter_context(CriServer(tmp_path, *flags))
