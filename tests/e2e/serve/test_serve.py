"""`podward serve`: begins, watches over its parts, and ends, leaving nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_cluster import KUBECTL, ServedCluster, is_ready, left_over, with_images

pytestmark = pytest.mark.needs("root", "cni", "crun", "conmon", "nft")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    found = ServedCluster(tmp_path_factory.mktemp("c"))
    yield found
    found.end()
    assert found.process.returncode == 0, found.said()
    assert left_over(found.root) == []


def part(cluster: ServedCluster, name: str) -> int:
    """The process of a part, which is our child's child."""
    for entry in Path(f"/proc/{cluster.process.pid}/task/{cluster.process.pid}/children").read_text().split():
        if f"podward {name} " in Path(f"/proc/{entry}/cmdline").read_text().replace("\0", " "):
            return int(entry)
    return 0


def test_the_node_is_ready_and_takes_pods(cluster: ServedCluster) -> None:
    node = cluster.get("node", "n1")
    assert {each["status"] for each in node["status"]["conditions"] if each["type"] == "Ready"} == {"True"}
    assert "taints" not in node["spec"]
    assert cluster.get("serviceaccount", "default")["metadata"]["name"] == "default"
    assert "(1 node, " in cluster.first_line


def test_a_disk_that_others_fill_costs_its_nodes_no_images(cluster: ServedCluster) -> None:
    assert '"imageGCHighThresholdPercent":100' in cluster.kubectl("get", "--raw", "/api/v1/nodes/n1/proxy/configz")


def test_all_that_is_written_is_its_owners(cluster: ServedCluster) -> None:
    found = [cluster.root / "cluster", *(cluster.root / "cluster").rglob("*"), cluster.kubeconfig]
    modes = {str(each): stat.S_IMODE(each.lstat().st_mode) for each in found if not each.is_symlink()}
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    assert {each.name for each in (cluster.root / "cluster" / "parts").iterdir()} == {
        "kube-controller-manager.kubeconfig", "kube-scheduler.kubeconfig", "node-n1.kubeconfig",
        "podward-serve.kubeconfig",
    }  # fmt: skip


def test_each_part_is_who_it_says(cluster: ServedCluster) -> None:
    parts = cluster.root / "cluster" / "parts"
    who = {
        "node-n1": ("system:node:n1", "system:nodes"),
        "kube-scheduler": ("system:kube-scheduler", "system:authenticated"),
    }
    for name, (user, group) in who.items():
        told = cluster.kubectl("auth", "whoami", "--kubeconfig", str(parts / f"{name}.kubeconfig"))
        assert user in told
        assert group in told
    node = str(parts / "node-n1.kubeconfig")
    assert "no" in cluster.kubectl("auth", "can-i", "list", "secrets", "--kubeconfig", node, code=1)


@pytest.mark.parametrize("name", ["controller-manager", "node", "apiserver"])
def test_a_part_that_was_killed_is_started_again(cluster: ServedCluster, name: str) -> None:
    before = part(cluster, name)
    os.kill(before, signal.SIGKILL)
    end = time.monotonic() + 10
    while part(cluster, name) in {0, before} and time.monotonic() < end:
        time.sleep(0.05)
    assert part(cluster, name) not in {0, before}
    assert f"{name}" in cluster.said()
    map_name = f"after-{name}"
    while "created" not in cluster.kubectl("create", "configmap", map_name, code=None) and time.monotonic() < end:
        time.sleep(0.2)
    assert cluster.get("configmap", map_name)["metadata"]["name"] == map_name


def test_one_that_leaves_nothing_leaves_nothing(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "podward",
        "serve",
        "--ephemeral",
        "--kubeconfig",
        str(tmp_path / "k"),
        "--nodes",
        "2",
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert "(2 nodes, " in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [each.name for each in tmp_path.iterdir()] == ["k"]
    assert left_over(tmp_path) == []


def test_what_a_killed_one_has_left_goes_with_the_next(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "podward", "serve", "--ephemeral", "--kubeconfig", str(tmp_path / "k")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as killed:
        try:
            assert killed.stdout is not None
            assert "ready at" in killed.stdout.readline()
            (left,) = tmp_path.glob("podward-*")
            asked = [KUBECTL, "--kubeconfig", str(tmp_path / "k"), "apply", "-f", "-"]
            done = subprocess.run(asked, input=POD, text=True, check=False, capture_output=True)
            assert done.returncode == 0, done.stderr
            end = time.monotonic() + 30
            while not any("/sandboxes/" in one for one in left_over(left)) and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            killed.kill()
    assert any("/sandboxes/" in one for one in left_over(left))
    pipe = subprocess.PIPE
    with subprocess.Popen([*words, "--nodes", "0"], stdout=pipe, stderr=pipe, text=True, env=environment) as following:
        assert following.stdout is not None
        ready = following.stdout.readline()
        following.send_signal(signal.SIGTERM)
        said = following.communicate(timeout=60)[1]
    assert "ready at" in ready, said
    assert f"{left}: a cluster that was killed" in said
    assert ([each.name for each in tmp_path.iterdir()], left_over(left)) == (["k"], [])


def test_one_without_nodes_ends_too(tmp_path: Path) -> None:
    words = ["serve", "--data-dir", str(tmp_path), "--nodes", "0", "--secure-port", "0"]
    with subprocess.Popen([sys.executable, "-m", "podward", *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "(0 nodes, " in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert left_over(tmp_path) == []


def test_it_asks_no_other_cluster_that_its_users_have_turned_to(tmp_path: Path) -> None:
    first = ServedCluster(tmp_path, "--nodes", "0")
    first.end()
    with socket.create_server(("127.0.0.1", 0)) as other:
        first.kubectl("config", "set-cluster", "other", f"--server=https://127.0.0.1:{other.getsockname()[1]}")
        first.kubectl("config", "set-context", "theirs", "--cluster=other", "--user=podward-admin")
        first.kubectl("config", "use-context", "theirs")
        again = ServedCluster(tmp_path, "--nodes", "0")
        again.end()
        other.settimeout(0)
        with pytest.raises(BlockingIOError):
            other.accept()
    assert "current-context: theirs" in first.kubeconfig.read_text()


def test_what_keeps_a_part_from_starting_ends_it_all(tmp_path: Path) -> None:
    words = ["serve", "--data-dir", str(tmp_path), "--secure-port", "0", "--token-auth-file", "/absent"]
    done = subprocess.run(
        [sys.executable, "-m", "podward", *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "apiserver cannot be started" in done.stderr


POD = """
apiVersion: v1
kind: Pod
metadata: {name: stays}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: "busybox:root", command: [sleep, "86400"]}]
"""


def test_pods_are_found_again_where_they_were_left_and_run_anew_where_they_were_ended(
    images: Path, tmp_path: Path
) -> None:
    root = with_images(images, tmp_path / "c")
    first = ServedCluster(root, "--leave")
    first.kubectl("apply", "-f", "-", given=POD)
    before = first.until_running("stays")["status"]["containerStatuses"][0]
    os.kill(part(first, "node"), signal.SIGKILL)
    first.end()
    assert any("/sandboxes/" in words or "conmon" in words for words in left_over(root)), first.said()
    second = ServedCluster(root)
    after = second.until_running("stays")["status"]["containerStatuses"][0]
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)
    uid = second.get("pod", "stays")["metadata"]["uid"]
    assert _cgroups(uid)
    second.end()
    assert left_over(root) == []
    assert _cgroups(uid) == []
    third = ServedCluster(root)
    try:
        anew = third.until(
            lambda pod: is_ready(pod) and pod["status"]["containerStatuses"][0]["containerID"] != before["containerID"],
            "pod", "stays",
        )["status"]["containerStatuses"][0]  # fmt: skip
        assert anew["restartCount"] == 1
        _ask_twice(third)  # who does leaves nothing either
    finally:
        third.end()
    assert left_over(root) == []


def _ask_twice(cluster: ServedCluster) -> None:
    """End it as who presses Ctrl-C again."""
    _interrupt(cluster)
    time.sleep(0.3)
    _interrupt(cluster)
    cluster.process.wait(30)


def _interrupt(cluster: ServedCluster) -> None:
    """As a terminal does it: all of the group that have not ended."""
    group = os.getpgid(cluster.process.pid)
    for pid in (cluster.process.pid, *_children(cluster.process.pid)):
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == group:
                os.kill(pid, signal.SIGINT)


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cgroups(uid: str) -> list[Path]:
    """The cgroups of a Pod, in each hierarchy."""
    hierarchies = (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir())
    return [found for each in hierarchies for found in (each / "kubepods").glob(f"**/pod{uid}")]
