"""Where the CRI service listens, and what may be there already."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.cri import listening
from podward.errors import NodeError, UsageError


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        yield made


@pytest.mark.parametrize("endpoint", ["unix:///run/x/cri.sock", "unix:/run/x/cri.sock", "/run/x/cri.sock"])
def test_an_endpoint_is_a_url_or_a_path(endpoint: str) -> None:
    assert listening.path_of(endpoint) == "/run/x/cri.sock"


@pytest.mark.parametrize("endpoint", ["", "unix://", "tcp://127.0.0.1:1", "/x\0y", "unix:///" + "x" * 200])
def test_what_is_no_path_of_a_unix_socket_is_refused(endpoint: str) -> None:
    with pytest.raises(UsageError):
        listening.path_of(endpoint)


def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    listening.prepare(f"{tmp_path}/made/cri.sock")
    assert stat.S_IMODE(os.stat(tmp_path / "made").st_mode) == 0o700


def test_a_dead_servers_socket_is_replaced(tmp_path: Path, listener: socket.socket) -> None:
    path = f"{tmp_path}/cri.sock"
    listener.bind(path)
    listener.close()
    listening.prepare(path)
    assert not os.path.lexists(path)


def test_a_living_servers_socket_is_left_alone(tmp_path: Path, listener: socket.socket) -> None:
    path = f"{tmp_path}/cri.sock"
    listener.bind(path)
    listener.listen()
    with pytest.raises(NodeError, match="listens here already"):
        listening.prepare(path)
    assert os.path.lexists(path)


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cri.sock"
    path.write_text("precious")
    with pytest.raises(NodeError, match="no socket"):
        listening.prepare(str(path))
    assert path.read_text() == "precious"


def test_a_link_to_a_socket_is_left_alone(tmp_path: Path, listener: socket.socket) -> None:
    listener.bind(f"{tmp_path}/real.sock")
    (tmp_path / "cri.sock").symlink_to("real.sock")
    with pytest.raises(NodeError, match="no socket"):
        listening.prepare(f"{tmp_path}/cri.sock")


def test_a_directory_in_which_others_write_is_refused(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o777)  # noqa: S103 - that is what is refused
    with pytest.raises(NodeError, match="others may replace"):
        listening.prepare(f"{tmp_path}/cri.sock")


def test_a_socket_is_made_for_its_owner_alone(tmp_path: Path, listener: socket.socket) -> None:
    path = f"{tmp_path}/cri.sock"
    with listening.owners_alone():
        listener.bind(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_only_the_own_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "cri.sock"
    path.write_text("first")
    made = os.stat(path)
    os.link(path, tmp_path / "held")  # keeps the inode's number from being used again
    path.unlink()
    path.write_text("another's")
    listening.remove(str(path), made)
    assert path.read_text() == "another's"
