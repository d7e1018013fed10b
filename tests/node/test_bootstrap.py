"""How a node gets the certificate that it is."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest
from api_server import Server
from running_node import kubeconfig

from podward.api.status import Status
from podward.client.api import Client
from podward.client.connection import load
from podward.errors import NodeError
from podward.node import bootstrap
from podward.schema.resources import BY_PLURAL

NODES = BY_PLURAL["", "v1", "nodes"]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path, "--authorization-mode", "Node,RBAC")


def bound(server: Server, role: str) -> None:
    subject = {"kind": "Group", "name": "system:bootstrappers", "apiGroup": "rbac.authorization.k8s.io"}
    of = {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"}
    body = {"metadata": {"generateName": "b-"}, "subjects": [subject], "roleRef": of}
    code, answer, _ = server.ask("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", body)
    assert code == 201, answer


def end(server: Server) -> None:
    server.process.terminate()
    server.process.communicate()


def test_a_node_asks_for_its_certificate_and_is_then_itself(server: Server, tmp_path: Path) -> None:
    bound(server, "system:node-bootstrapper")
    bound(server, "system:certificates.k8s.io:certificatesigningrequests:nodeclient")
    first, own = tmp_path / "bootstrap.kubeconfig", tmp_path / "node.kubeconfig"
    first.write_text(kubeconfig(server, "system:bootstrap:abc", "system:bootstrappers"))

    async def register() -> object:
        await bootstrap.ensure(str(own), str(first), "n7")
        client = Client(load(str(own)), "test")
        try:
            return await client.create(NODES, "", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n7"}})
        finally:
            await client.close()

    try:
        made = asyncio.run(register())
        assert not isinstance(made, Status), made
        assert stat.S_IMODE(own.stat().st_mode) == 0o600
        before = own.read_text()
        asyncio.run(bootstrap.ensure(str(own), "/nowhere", "n7"))
        assert own.read_text() == before
        assert [row["name"] for row in json.loads(before)["users"]] == ["node"]
    finally:
        end(server)


def test_who_is_not_signed_is_told_why(server: Server, tmp_path: Path) -> None:
    first = tmp_path / "bootstrap.kubeconfig"
    first.write_text(kubeconfig(server, "nobody"))
    try:
        with pytest.raises(NodeError, match=r"cannot ask for a certificate: .*forbidden"):
            asyncio.run(bootstrap.ensure(str(tmp_path / "own"), str(first), "n7"))
    finally:
        end(server)
