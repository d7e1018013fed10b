"""The controllers of what every namespace has: only where they are named, and again where somebody removes it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from api_server import Server, running

_PATIENCE = 10.0
_NAMED = "--controllers=serviceaccount,root-ca-cert-publisher"


def _comes(server: Server, path: str) -> dict[str, object]:
    end = time.monotonic() + _PATIENCE
    while True:
        code, found, _ = server.ask("GET", path)
        if code == 200:
            return dict(found)
        assert time.monotonic() < end, found
        time.sleep(0.02)


def _make(server: Server, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert server.ask("POST", "/api/v1/namespaces", body)[0] == 201


def test_each_namespace_gets_its_account_and_the_authority_and_gets_them_again(tmp_path: Path) -> None:
    with running(tmp_path, _NAMED) as server:
        _make(server, "new")
        account, certificate = "serviceaccounts/default", "configmaps/kube-root-ca.crt"
        for namespace in ("default", "new"):
            for what in (account, certificate):
                path = f"/api/v1/namespaces/{namespace}/{what}"
                first = _comes(server, path)
                assert server.ask("DELETE", path)[0] == 200
                assert _comes(server, path)["metadata"] != first["metadata"]
        path = f"/api/v1/namespaces/new/{certificate}"
        found = _comes(server, path)
        assert found["data"] == {"ca.crt": (server.data / "ca.crt").read_text()}
        assert server.ask("PUT", path, {**found, "data": {"ca.crt": "another"}})[0] == 200
        end = time.monotonic() + _PATIENCE
        while _comes(server, path)["data"] != found["data"]:
            assert time.monotonic() < end
            time.sleep(0.02)
        pod = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }  # fmt: skip
        assert server.ask("POST", "/api/v1/namespaces/new/pods", pod)[0] == 201


@pytest.mark.parametrize("flags", [(), ("--controllers=*",), ("--controllers=",)], ids=["none", "all", "nothing"])
def test_nobody_makes_them_unless_asked_to(flags: tuple[str, ...], tmp_path: Path) -> None:
    with running(tmp_path, *flags) as server:
        _make(server, "new")
        time.sleep(0.3)
        assert server.ask("GET", "/api/v1/namespaces/new/serviceaccounts/default")[0] == 404
