"""An informer that slept past a compaction is told that its version is gone, lists, and misses nothing from then on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from api_server import Server, running
from etcd_server import free_port, running_etcd
from transcripts import kubeconfig

pytestmark = pytest.mark.needs("etcd")

INFORMER = Path(__file__).with_name("python") / "informer.py"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def create(server: Server, name: str) -> int:
    code, made, _ = server.ask("POST", CONFIG_MAPS, {"metadata": {"name": name}})
    assert code == 201
    return int(made["metadata"]["resourceVersion"])


def compact(port: int, revision: int) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v3/kv/compaction", json.dumps({"revision": revision}).encode()
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        assert answer.status == 200


def test_an_informer_survives_a_compaction(tmp_path: Path) -> None:
    port = free_port()
    with running_etcd(tmp_path, port), running(tmp_path, "--store", f"etcd://127.0.0.1:{port}") as server:
        old = create(server, "before")
        compact(port, create(server, "after"))
        config = tmp_path / "kubeconfig"
        config.write_text(json.dumps(kubeconfig(server.url, str(server.data / "ca.crt"))))
        informer = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(INFORMER), str(old)],
            env={**os.environ, "KUBECONFIG": str(config)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert informer.stdout is not None
        try:
            assert informer.stdout.readline() == "ERROR 410\n"
            assert informer.stdout.readline() == "LISTED after before\n"
            create(server, "later")
            assert informer.stdout.readline() == "ADDED later\n"
            server.ask("DELETE", f"{CONFIG_MAPS}/before")
            assert informer.stdout.readline() == "DELETED before\n"
        finally:
            informer.kill()
            informer.communicate()
