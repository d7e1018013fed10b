"""A full disk refuses writes in words and is read on; with room again all goes on, and nothing was lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import Server, running

pytestmark = pytest.mark.needs("root")

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture(name="disk")
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB, where a server has its data, with a file of 8 MiB that can go."""
    disk = tmp_path / "data"
    disk.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", disk], check=True)
    try:
        (disk / "filler").write_bytes(bytes(8 << 20))
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def written(server: Server, name: str) -> int:
    body = {"metadata": {"name": name}, "data": {"k": name * 2000}}
    with server.session() as session:
        code, told = session.ask("POST", CONFIG_MAPS, body)
    assert code == 201 or "the store's disk is full: nothing was written" in told
    return code


def names(server: Server) -> set[str]:
    _, told, _ = server.ask("GET", CONFIG_MAPS)
    return {each["metadata"]["name"] for each in told["items"]}


def test_it_refuses_and_recovers(disk: Path, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        acknowledged, code = set(), 201
        for number in range(2000):
            code = written(server, name := f"full-{number:08d}")
            if code != 201:
                break
            acknowledged.add(name)
        assert code == 500
        assert len(acknowledged) > 20
        assert written(server, "refused-again") == 500
        assert names(server) >= acknowledged
        assert server.ask("DELETE", f"{CONFIG_MAPS}/full-00000000")[0] in {200, 500}
        gone = {"full-00000000"} - names(server)
        (disk / "filler").unlink()
        assert written(server, "room-again") == 201
        acknowledged = acknowledged - gone | {"room-again"}
        assert names(server) >= acknowledged
        server.process.terminate()
        _, errors = server.process.communicate(timeout=60)
    finally:
        server.process.kill()
        server.process.wait()
    assert ("the store's disk is full" in errors, "Traceback" in errors) == (True, False), errors
    with running(tmp_path) as server:
        assert names(server) >= acknowledged
        assert "refused-again" not in names(server)
