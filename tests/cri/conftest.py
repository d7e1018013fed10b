"""A CRI server for the tests of a module, and one of a test's own; both can have an image with a busybox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import image_layout
import pytest
import served_containers
from cri_server import Client, CriServer

from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore


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


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The layout of an image with a busybox."""
    packed = image_layout.layer(served_containers.fill)
    place = tmp_path_factory.mktemp("layout") / "small"
    return image_layout.write_layout(place, "small:1", served_containers.CONFIG, packed)


@pytest.fixture(scope="module")
def image(server: CriServer, layout: str) -> str:
    """The image's name, in the module's server."""
    import_path(ImageStore(str(server.root)), layout)
    return served_containers.IMAGE


@pytest.fixture
def sandbox(client: Client) -> Iterator[str]:
    """A sandbox on the host's network, which is removed with its containers."""
    made = client.run_sandbox()
    yield made
    client.end(made)
