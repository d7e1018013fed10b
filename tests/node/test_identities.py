"""Processes of containers that become somebody else: seen, kept, and told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from running_node import Node, kubeconfig, running
from warm_command import run

from podward.api.identity import ContainerIdentity
from podward.node import identities

pytestmark = pytest.mark.needs("root", "crun", "busybox")


SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "explain.schema.json"
CHANGES = "import os, time; os.setgroups([4, 5]); os.setgid(33); os.setuid(33); time.sleep(1000)"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def known(node: Node, pod: dict[str, Any], expected: int) -> tuple[ContainerIdentity, ...]:
    """What is kept of a Pod, once it is kept of so many containers."""
    deadline = time.monotonic() + 60
    while True:
        found = identities.of_pod(f"{node.root}/node/pods", pod["metadata"]["uid"], "n1")
        if sum(each.observed is not None for each in found.containers) >= expected:
            return found.containers
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def explain(node: Node, directory: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    """`podward explain pod/NAME` as an administrator calls it."""
    config = directory / "admin.kubeconfig"
    config.write_text(kubeconfig(node.server, "admin", "system:masters"))
    environment = {**os.environ, "KUBECONFIG": str(config), "PODWARD_ROOT": str(node.root)}
    return run("explain", f"pod/{name}", "-n", "default", *more, environment=environment)


def test_who_drops_his_rights_has_drifted_and_it_is_told_once(node: Node, tmp_path: Path) -> None:
    same = {"name": "same", "image": "small:1", "command": ["sleep", "1000"], "securityContext": {"runAsUser": 7}}
    mounts = [{"name": "host", "mountPath": "/host"}]
    words = ["busybox", "chroot", "/host", sys.executable, "-c", CHANGES]
    other = {"name": "other", "image": "small:1", "command": words, "volumeMounts": mounts}
    node.create("drifts", [same, other], volumes=[{"name": "host", "hostPath": {"path": "/"}}])
    pod = node.until("drifts", lambda found: found["status"]["phase"] == "Running")
    first, second = known(node, pod, 2)
    deadline = time.monotonic() + 60
    while "uid 0 -> 33" not in first.drift:  # it was looked at between two of its steps
        assert time.monotonic() < deadline, first
        time.sleep(0.05)
        first, second = known(node, pod, 2)
    assert (first.name, second.name, second.drift) == ("other", "same", ())
    assert first.drift[:3] == ("uid 0 -> 33", "gid 0 -> 33", "groups 0 -> 4,5")
    assert first.drift[-1].startswith("permitted and effective capabilities: dropped CAP_CHOWN")
    assert second.decided is not None
    assert second.decided.uid == 7
    assert second.predicted == second.observed
    deadline = time.monotonic() + 60
    while not (told := [text for reason, text in node.events("drifts") if reason == "IdentityDrift"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told == [f"The process of container other is not who it began as: {'; '.join(first.drift)}"]
    printed = explain(node, tmp_path, "drifts")
    assert printed.returncode == 1, printed.stderr
    assert f"drift      {'; '.join(first.drift)}" in printed.stdout
    assert "drift      none: it is who it began as" in printed.stdout
    document = json.loads(explain(node, tmp_path, "drifts", "-o", "json").stdout)
    jsonschema.validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["identities"]["containers"][0]["observed"]["uid"] == [33] * 4
    node.kill()
    node.start_again()
    time.sleep(4)
    assert len([reason for reason, _ in node.events("drifts") if reason == "IdentityDrift"]) == 1
