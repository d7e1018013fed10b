"""Pods that are kept: run returns, and exec, logs and port-forward reach into them."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from case_corpus import write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

WORKING_DIRECTORY = "/tmp"  # noqa: S108 - the container's
POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000]}
  containers:
  - name: app
    image: busybox:root
    env: [{name: COLOUR, value: green}]
    workingDir: /tmp
    command: [sh, -c, "echo first; echo served > index.html; exec httpd -f -v -p 8080"]
  - name: side
    image: busybox:1000
    command: [sh, -c, "echo aside; exec sleep 600"]
    securityContext: {runAsUser: 2000, capabilities: {drop: [ALL]}, allowPrivilegeEscalation: false}
"""


def keep(podward: Podward, tmp_path: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`run --keep`, which must come back by itself; a run that does not is ended, and its Pod removed by the caller."""
    process = podward.start("run", "--keep", *words, "-f", write(tmp_path, "pod.yaml", text))
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        podward.interrupt(process)
        pytest.fail("podward run --keep does not come back")
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def kept(podward: Podward, tmp_path: Path) -> Iterator[None]:
    """A Pod that goes on; it is removed at the end."""
    try:
        done = keep(podward, tmp_path, POD)
        assert done.returncode == 0, done.stderr
        yield
    finally:
        podward("rm", "--all")


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_run_returns_when_the_pod_runs(podward: Podward, tmp_path: Path, runtime: str) -> None:
    try:
        done = keep(podward, tmp_path, POD, "--runtime", runtime)
        assert done.returncode == 0, done.stderr
        (listed,) = json.loads(podward("ps", "-o", "json").stdout)
        assert (listed["name"], listed["running"], listed["containers"]) == ("web", 2, 2)
        assert podward("exec", "web", "--", "id", "-u").stdout == "1000\n"
    finally:
        podward("rm", "--all")


@pytest.mark.usefixtures("kept")
def test_exec_runs_as_the_container_does(podward: Podward) -> None:
    words = ("sh", "-c", "id -u; id -g; id -G; pwd; echo $COLOUR; grep -c . /proc/self/status")
    done = podward("exec", "web", "--", *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:5] == ["1000", "3000", "3000 4000", WORKING_DIRECTORY, "green"]


@pytest.mark.usefixtures("kept")
def test_exec_takes_a_container_and_has_its_limits(podward: Podward) -> None:
    done = podward(
        "exec", "web", "-c", "side", "--", "sh", "-c", "id -u; grep -E 'CapBnd|NoNewPrivs' /proc/self/status"
    )
    assert done.stdout.split() == ["2000", "CapBnd:", "0" * 16, "NoNewPrivs:", "1"], done.stderr


@pytest.mark.usefixtures("kept")
def test_exec_passes_on_the_exit_code_and_both_outputs(podward: Podward) -> None:
    done = podward("exec", "web", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert podward("exec", "web", "--", "no-such-program").returncode == 127
    assert podward("exec", "web", "--", "/etc/passwd").returncode == 126


@pytest.mark.usefixtures("kept")
def test_exec_gives_standard_input_where_asked(podward: Podward) -> None:
    assert podward("exec", "-i", "web", "--", "cat", stdin="through\n").stdout == "through\n"
    assert podward("exec", "web", "--", "cat", stdin="not\n").stdout == ""


@pytest.mark.usefixtures("kept")
def test_exec_into_nothing_is_bad_usage(podward: Podward) -> None:
    for words in (("nobody", "--", "id"), ("web", "-c", "nobody", "--", "id"), ("web",)):
        done = podward("exec", *words)
        assert done.returncode == 2, words
        assert "Traceback" not in done.stderr
    assert "podward ps" in podward("exec", "nobody", "--", "id").stderr


@pytest.mark.usefixtures("kept")
def test_logs_are_what_the_container_wrote(podward: Podward) -> None:
    assert written(podward, "aside\n", "web", "-c", "side") == "aside\n"
    assert written(podward, "first\n", "web").startswith("first\n"), "of the first container, as kubectl's"
    assert podward("logs", "nobody").returncode == 2


def written(podward: Podward, expected: str, *words: str, seconds: float = 30) -> str:
    """The log, once it holds what is expected: a container that runs may not have written yet."""
    deadline = time.monotonic() + seconds
    while True:
        shown = podward("logs", *words).stdout
        if expected in shown or time.monotonic() > deadline:
            return shown
        time.sleep(0.1)


def eventually(ask: Callable[[], str], seconds: float = 10) -> str:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.usefixtures("kept")
def test_a_port_is_forwarded_until_the_command_ends(podward: Podward) -> None:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    process = podward.start("port-forward", "web", f"{port}:8080")

    def fetch() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            return str(answer.read().decode())

    try:
        assert eventually(fetch) == "served\n"
        assert fetch() == "served\n", "more than once"
    finally:
        podward.interrupt(process)
    with pytest.raises(OSError, match="refused"), contextlib.closing(socket.create_connection(("127.0.0.1", port))):
        pass


@pytest.mark.usefixtures("kept")
def test_rm_ends_a_pod_that_run_left(podward: Podward) -> None:
    assert podward("rm", "web").returncode == 0
    assert json.loads(podward("ps", "-o", "json").stdout) == []
    assert podward.leftovers() == []


def test_keep_tells_of_a_pod_that_does_not_come_up(podward: Podward, tmp_path: Path) -> None:
    try:
        done = keep(podward, tmp_path, POD.replace('[sh, -c, "echo aside; exec sleep 600"]', "[/no/such/program]"))
        assert done.returncode != 0, done.stdout
        assert "side" in done.stderr
    finally:
        podward("rm", "--all")
