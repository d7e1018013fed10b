"""How many processes a Pod of a node may have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running_node import Node, eventually, running

pytestmark = pytest.mark.needs("root", "crun", "busybox")
MOST = 12
FORKS = "(for _ in $(seq 50); do sleep 1000 & done); exec sleep 1000"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster"), "--pod-max-pids", str(MOST)) as made:
        yield made


def told(uid: str, file: str) -> str:
    """What the kernel says of a Pod without requests."""
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    return (Path("/sys/fs/cgroup", "" if unified else "pids", f"kubepods/besteffort/pod{uid}") / file).read_text()


def says(node: Node, name: str, script: str, text: str) -> str:
    """Run it until it has said that; the Pod's uid."""
    node.run(name, script)
    pod = node.until(name, lambda found: found["status"].get("phase") == "Running")
    node.until_log(pod, text)
    return str(pod["metadata"]["uid"])


def test_no_pod_has_more_processes_than_it_may(node: Node) -> None:
    uid = says(node, "forks", FORKS, "can't fork")
    assert told(uid, "pids.max") == f"{MOST}\n"
    eventually(lambda: told(uid, "pids.current") == f"{MOST - 1}\n")  # the shell that could not is gone


def test_one_pod_that_has_all_its_processes_keeps_no_other_from_its_own(node: Node) -> None:
    says(node, "greedy", FORKS, "can't fork")
    says(node, "other", "(true); echo forked; exec sleep 1000", "forked")
