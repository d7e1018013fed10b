"""Volumes of a node's Pods: objects of a real API server, read as a node may read them, on a real kernel's disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import Server
from node_volumes import NODE, SECRETS, Here, ok, run, until
from private_mounts import private_mounts

from podward.api.json_value import Json, JsonObject
from podward.client.connection import Connection, load
from podward.documents.raw_fields import member

__all__ = ["private_mounts"]
pytestmark = [pytest.mark.needs("root"), pytest.mark.usefixtures("private_mounts")]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    directory = tmp_path_factory.mktemp("server")
    config = directory / "kubeconfig"
    server = Server(directory, "--kubeconfig", str(config), "--authorization-mode", "Node,RBAC")
    for path, obj in (
        ("nodes", {"metadata": {"name": NODE}}),
        ("namespaces/default/serviceaccounts", {"metadata": {"name": "default"}}),
    ):
        made = server.ask("POST", f"/api/v1/{path}", obj)
        assert made[0] == 201, made
    yield load(str(config))
    server.process.terminate()
    server.process.communicate()


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def owner(path: str) -> tuple[int, int, int]:
    facts = os.stat(path)
    return facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)


def is_mount(path: str) -> bool:
    return os.path.ismount(path)


def is_there(path: str) -> bool:
    return os.path.lexists(path)


def listed(path: str) -> list[str]:
    return sorted(os.listdir(path))


def target(path: str) -> str:
    return os.readlink(path)


def secret(name: str, **data: str) -> JsonObject:
    return {"metadata": {"name": name}, "stringData": dict(data)}


def of_secret(name: str, **more: Json) -> JsonObject:
    return {"name": "v", "secret": {"secretName": name, **more}}


def test_a_secret_is_on_a_tmpfs_and_follows_within_two_seconds(connection: Connection, tmp_path: Path) -> None:
    async def work(here: Here) -> None:
        ok(await here.admin.create(SECRETS, "default", secret("follows", fruit="carrot", user="bugs")))
        pod = await here.pod([of_secret("follows", defaultMode=0o400)], securityContext={"fsGroup": 2000})
        assert (await here.volumes.prepare(pod)).ready, here.told
        at = here.at(pod, "volumes", "v")
        assert is_mount(at)
        assert (read(f"{at}/fruit"), *owner(f"{at}/fruit")) == ("carrot", 0, 2000, 0o440)
        before = target(f"{at}/..data")
        change: Json = {"stringData": {"fruit": "turnip"}, "data": {"user": None}}
        ok(await here.admin.patch(SECRETS, "default", "follows", change))
        await until(lambda: read(f"{at}/fruit") == "turnip", 2.0)
        assert target(f"{at}/..data") != before
        await until(lambda: not is_there(f"{at}/user"))
        ok(await here.admin.delete(SECRETS, "default", "follows"))
        await until(lambda: bool(here.told))
        assert (
            here.told[0] == 'Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "follows" not found'
        )
        assert (read(f"{at}/fruit"), (await here.volumes.prepare(pod)).ready) == ("turnip", True)
        assert await here.volumes.remove(str(member(pod, "metadata")["uid"])) == ()
        assert listed(here.at(pod)) == ["volumes.lock"]

    run(connection, str(tmp_path), work)
