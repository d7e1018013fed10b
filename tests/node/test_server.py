"""kubectl reaches into Pods of a real node: logs, commands, ports, files, debugging."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest
from running_node import IMAGE, Node, kubeconfig, running

pytestmark = [pytest.mark.needs("root", "crun", "busybox"), pytest.mark.usefixtures("node")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        made.run("p", "echo up; trap exit TERM; while true; do sleep 0.1; done")
        made.until("p", lambda pod: pod["status"].get("phase") == "Running")
        yield made


@pytest.fixture(scope="module")
def config(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kube") / "config"
    file.write_text(kubeconfig(node.server, "admin", "system:masters"))
    return file


def kubectl(config: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["kubectl", "--kubeconfig", str(config), *words], input=stdin, capture_output=True, timeout=60, check=False
    )


def test_a_log_is_followed_to_the_end_of_its_container(node: Node, config: Path) -> None:
    node.run("counts", "for i in 1 2 3; do echo $i; sleep 0.2; done", restartPolicy="Never")
    node.until("counts", lambda pod: "containerStatuses" in pod["status"])
    node.until("counts", lambda pod: "waiting" not in pod["status"]["containerStatuses"][0]["state"])
    assert kubectl(config, "logs", "-f", "counts").stdout == b"1\n2\n3\n"
    assert kubectl(config, "logs", "counts", "--tail=1", "--timestamps").stdout.endswith(b"Z 3\n")


def test_the_log_of_the_run_before(node: Node, config: Path) -> None:
    node.run("again", "echo $(hostname) run; sleep 0.3; exit 1")
    node.until("again", lambda pod: (pod["status"].get("containerStatuses") or [{}])[0].get("restartCount", 0) > 0)
    node.until("again", lambda pod: "waiting" in pod["status"]["containerStatuses"][0]["state"])
    assert b"run\n" in kubectl(config, "logs", "again", "--previous").stdout


def test_a_command_runs_in_the_container(config: Path) -> None:
    ran = kubectl(config, "exec", "-i", "p", "--", "sh", "-c", "cat; echo err >&2; exit 7", stdin=b"in" * 100000)
    assert (ran.returncode, ran.stdout) == (7, b"in" * 100000)
    assert b"err\n" in ran.stderr
    missing = kubectl(config, "exec", "p", "--", "no-such-program")
    assert missing.returncode != 0
    assert b"no-such-program" in missing.stderr


def test_a_terminal_has_the_size_of_ours(config: Path) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "97", "rows", "31"], stdin=theirs, check=True)
    words = [
        "kubectl",
        "--kubeconfig",
        str(config),
        "exec",
        "-it",
        "p",
        "--",
        "sh",
        "-c",
        "sleep 0.5; stty size; exit 5",
    ]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"31 97" not in shown:
        shown += os.read(ours, 1000)
    assert process.wait(30) == 5
    os.close(ours)


def test_files_are_copied_there_and_back(config: Path, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(os.urandom(1 << 20))
    assert kubectl(config, "cp", str(tmp_path / "from"), "p:/tmp/copied").returncode == 0
    assert kubectl(config, "cp", "p:/tmp/copied", str(tmp_path / "to")).returncode == 0
    assert (tmp_path / "to").read_bytes() == (tmp_path / "from").read_bytes()


def test_a_container_is_attached_to(node: Node, config: Path) -> None:
    node.run("reads", "read line; echo got $line; sleep 1000", container={"stdin": True})
    node.until("reads", lambda pod: pod["status"].get("phase") == "Running")
    process = subprocess.Popen(
        ["kubectl", "--kubeconfig", str(config), "attach", "-i", "reads"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"typed\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"got typed\n"
    process.terminate()
    process.communicate(timeout=30)


def test_the_node_shows_a_certificate_of_the_cluster(config: Path) -> None:
    listed = kubectl(config, "get", "csr", "-o", "jsonpath={.items[*].spec.signerName}").stdout
    assert b"kubernetes.io/kubelet-serving" in listed


def test_a_port_of_a_pod_is_forwarded(node: Node, config: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    node.run("serves", f"echo page > /tmp/index.html; httpd -f -p 127.0.0.1:{port} -h /tmp")
    node.until("serves", lambda pod: pod["status"].get("phase") == "Running")
    words = ["kubectl", "--kubeconfig", str(config), "port-forward", "serves", f":{port}"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        local = int(process.stdout.readline().split(b" -> ")[0].rpartition(b":")[2])
        for _ in range(100):  # until it listens
            with suppress(OSError), urlopen(f"http://127.0.0.1:{local}/index.html", timeout=30) as answer:
                assert answer.read() == b"page\n"
                break
            time.sleep(0.1)
        else:
            pytest.fail("nothing answered")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_a_pod_is_debugged_with_a_container_of_its_own(node: Node, config: Path) -> None:
    words = ("debug", "p", f"--image={IMAGE}", "-c", "debugger", "--", "sh", "-c", "echo seen; sleep 1000")
    assert kubectl(config, *words).returncode == 0
    node.until(
        "p",
        lambda pod: any("running" in each["state"] for each in pod["status"].get("ephemeralContainerStatuses") or ()),
    )
    assert kubectl(config, "logs", "p", "-c", "debugger").stdout == b"seen\n"
    assert kubectl(config, "exec", "p", "-c", "debugger", "--", "echo", "inside").stdout == b"inside\n"


def test_what_a_node_uses_is_told(config: Path) -> None:
    told = kubectl(config, "get", "--raw", "/api/v1/nodes/n1/proxy/metrics/resource").stdout.decode()
    assert 'container_memory_working_set_bytes{container="c",namespace="default",pod="p"}' in told
    summary = json.loads(kubectl(config, "get", "--raw", "/api/v1/nodes/n1/proxy/stats/summary").stdout)
    assert summary["node"]["memory"]["workingSetBytes"] > 0
    assert any(each["podRef"]["name"] == "p" for each in summary["pods"])
    told = kubectl(config, "get", "--raw", "/api/v1/nodes/n1/proxy/metrics/cadvisor").stdout.decode()
    assert 'container_memory_rss{container="c",namespace="default",pod="p"}' in told


@pytest.mark.parametrize(
    ("method", "path", "code", "said"),
    [
        ("POST", "run/default/p/c?cmd=cat+/none", 500, "command 'cat /none' exited with 1: cat: "),
        ("POST", "run/default/p/c?cmd=/none", 500, "rpc error: code = Unknown desc = "),
        ("POST", "exec/default/p/c?output=1", 500, "rpc error: code = InvalidArgument desc = there is no command"),
        ("POST", "exec/default/p/c?output=1&command=ls", 500, "Upgrade request required"),
        ("POST", "portForward/default/p", 500, "Upgrade request required"),
        ("GET", "containerLogs/default/p", 404, "404: Page Not Found"),
    ],
)
def test_what_is_refused_is_told_in_a_kubelets_words(node: Node, method: str, path: str, code: int, said: str) -> None:
    found, text, _ = node.server.ask(method, f"/api/v1/nodes/n1/proxy/{path}", Accept="*/*")
    assert (found, text[: len(said)]) == (code, said)


def test_pods_that_run_are_listed_with_the_containers_that_run(node: Node) -> None:
    node.run("over", "true", restartPolicy="Never")
    node.until("over", lambda pod: pod["status"]["phase"] == "Succeeded")
    _, found, _ = node.server.ask("GET", "/api/v1/nodes/n1/proxy/runningpods/", Accept="*/*")
    listed = {pod["metadata"]["name"]: pod["spec"]["containers"] for pod in found["items"]}
    assert next(container["name"] for container in listed["p"]) == "c"
    assert "over" not in listed


def test_kubectl_top_shows_what_is_used(config: Path) -> None:
    shown = kubectl(config, "top", "pod", "p", "--containers", "--no-headers").stdout.split()
    assert shown[:2] == [b"p", b"c"]
    assert shown[2].endswith(b"m")
    assert shown[3].endswith(b"Mi")
    node = kubectl(config, "top", "node", "--no-headers").stdout.split()
    assert node[0] == b"n1"
    assert int(node[1].removesuffix(b"m")) > 0
    assert int(node[3].removesuffix(b"Mi")) > 0
