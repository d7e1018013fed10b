"""A Pod may come before the `default` account of its namespace, which a controller makes: the server waits a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from api_server import Server, running

PODS, ACCOUNTS = "/api/v1/namespaces/{}/pods", "/api/v1/namespaces/{}/serviceaccounts"


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("awaited")) as started:
        for name in ("slow", "bare"):
            assert started.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
        yield started


def _create(server: Server, namespace: str, **spec: str) -> tuple[int, Any]:
    body = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    code, answer, _ = server.ask("POST", PODS.format(namespace), body)
    return code, answer


def test_a_pod_waits_for_its_account(server: Server) -> None:
    account = {"metadata": {"name": "default"}}
    later = threading.Timer(0.3, server.ask, ("POST", ACCOUNTS.format("slow"), account))
    later.start()
    code, pod = _create(server, "slow")
    later.join()
    assert (code, pod["spec"]["serviceAccountName"]) == (201, "default")


def test_it_does_not_wait_for_others_nor_in_namespaces_that_are_not_there(server: Server) -> None:
    begun = time.monotonic()
    assert _create(server, "bare", serviceAccountName="other")[0] == 403
    assert _create(server, "nowhere")[0] == 404
    assert time.monotonic() - begun < 0.8


def test_it_does_not_wait_for_ever(server: Server) -> None:
    code, answer = _create(server, "bare")
    assert code == 403
    assert answer["message"].endswith('service account bare/default: serviceaccount "default" not found')
