"""A kopf operator of a kind of its own: handlers, finalizers, status, events, and what it takes up again later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running
from transcripts import kubeconfig

HERE = Path(__file__).parent
WIDGETS = "/apis/example.com/v1/namespaces/shop/widgets"
CONFIG_MAPS = "/api/v1/namespaces/shop/configmaps"
MERGE = "application/merge-patch+json"


def waited(what: str, found: Callable[[], Any], seconds: float = 40) -> Any:  # noqa: ANN401 - whatever is found
    """What is found, once it is."""
    end = time.monotonic() + seconds
    while not (seen := found()):
        assert time.monotonic() < end, f"in vain: {what}"
        time.sleep(0.1)
    return seen


def body_of(server: Server, path: str) -> dict[str, Any]:
    code, told, _ = server.ask("GET", path)
    return told if code == 200 else {}


@pytest.fixture(name="server", scope="module")
def server_with_widgets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("operator")) as server:
        crd = (HERE / "manifests" / "crd.yaml").read_text()
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert server.ask("POST", path, crd, Content_Type="application/yaml")[0] == 201
        server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
        waited("the kind is served", lambda: server.ask("GET", WIDGETS)[0] == 200)
        yield server


@contextmanager
def operating(server: Server, directory: Path) -> Iterator[None]:
    """The operator runs."""
    config = directory / "kubeconfig"
    config.write_text(json.dumps(kubeconfig(server.url, str(server.data / "ca.crt"))))
    words = [sys.executable, "-W", "ignore", "-m", "kopf", "run", "--namespace", "shop", "--standalone", "--quiet"]
    log = directory / "log"
    with log.open("wb") as output:
        environment = {**os.environ, "KUBECONFIG": str(config), "HOME": str(directory)}
        operator = subprocess.Popen(
            [*words, str(HERE / "python" / "widget_operator.py")], env=environment, stderr=output
        )
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-4000:]}") from error
    finally:
        operator.terminate()
        try:
            operator.wait(timeout=20)
        except subprocess.TimeoutExpired:
            operator.kill()
            operator.wait()


def test_an_operator_operates(server: Server, tmp_path: Path) -> None:
    def size() -> str:
        return str(body_of(server, f"{CONFIG_MAPS}/w").get("data", {}).get("size"))

    with operating(server, tmp_path):
        widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 3}}
        code, made, _ = server.ask("POST", WIDGETS, widget)
        assert (code, made["spec"]["replicas"]) == (201, 1)
        waited("a ConfigMap is created", lambda: size() == "3")
        waited("the status is written", lambda: body_of(server, f"{WIDGETS}/w").get("status", {}).get("replicas") == 1)
        held = body_of(server, f"{WIDGETS}/w")["metadata"]
        assert held["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
        owner = body_of(server, f"{CONFIG_MAPS}/w")["metadata"]["ownerReferences"][0]
        assert (owner["kind"], owner["uid"]) == ("Widget", held["uid"])

        assert server.ask("PATCH", f"{WIDGETS}/w", {"spec": {"size": 5}}, Content_Type=MERGE)[0] == 200
        waited("the ConfigMap follows", lambda: size() == "5")

        def reasons() -> set[str]:
            events = body_of(server, "/api/v1/namespaces/shop/events").get("items", [])
            return {event["reason"] for event in events if event["involvedObject"]["name"] == "w"}

        waited("the operator tells of it", lambda: "Resized" in reasons())

    (tmp_path / "again").mkdir()
    with operating(server, tmp_path / "again"):
        resumed = lambda: body_of(server, f"{CONFIG_MAPS}/w")["metadata"].get("annotations", {}).get("resumed")  # noqa: E731
        waited("the operator takes it up again", resumed)
        assert server.ask("DELETE", f"{WIDGETS}/w")[0] == 200
        waited("the Widget goes", lambda: server.ask("GET", f"{WIDGETS}/w")[0] == 404)
        assert server.ask("GET", f"{CONFIG_MAPS}/w")[0] == 404
