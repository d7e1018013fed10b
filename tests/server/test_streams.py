"""Logs, commands and ports of Pods by way of the API server and a node, and proxies: with kubectl and by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_server import Server, running
from fake_node import FakeNode, serving

_LINES = (
    "2026-01-01T00:00:00.000000001Z stdout F one\n"
    "2026-01-01T00:00:01.000000002Z stderr F two\n"
    "2026-01-01T00:00:02.000000003Z stdout P thr\n"
    "2026-01-01T00:00:02.000000004Z stdout F ee\n"
)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kube") / "config"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, kubeconfig: Path) -> Iterator[Server]:
    flags = ("--disable-admission-plugins", "ServiceAccount", "--kubeconfig", str(kubeconfig))
    with running(tmp_path_factory.mktemp("server"), *flags) as started:
        yield started


@pytest.fixture(scope="module")
def node(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeNode]:
    with serving(server, tmp_path_factory.mktemp("node")) as started:
        started.register()
        started.pod("p", "c")
        yield started


def kubectl(kubeconfig: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["kubectl", "--kubeconfig", str(kubeconfig), *words], input=stdin, capture_output=True, timeout=60, check=False
    )


def test_logs_are_shown_as_they_are_asked_for(node: FakeNode, kubeconfig: Path) -> None:
    node.host.log("c").write_text(_LINES)
    assert kubectl(kubeconfig, "logs", "p").stdout == b"one\ntwo\nthree\n"
    assert kubectl(kubeconfig, "logs", "p", "--tail=1").stdout == b"ee\n"
    assert kubectl(kubeconfig, "logs", "p", "--tail=0").stdout == b""
    assert kubectl(kubeconfig, "logs", "p", "--since-time=2026-01-01T00:00:02Z").stdout == b"three\n"
    assert kubectl(kubeconfig, "logs", "p", "--limit-bytes=5").stdout == b"one\nt"
    assert kubectl(kubeconfig, "logs", "p", "--timestamps").stdout.startswith(b"2026-01-01T00:00:00.000000001Z one\n")
    missing = kubectl(kubeconfig, "logs", "p", "--previous")
    assert b'previous terminated container "c" in pod "p" not found' in missing.stderr


def test_a_followed_log_ends_with_its_container(node: FakeNode, kubeconfig: Path) -> None:
    node.pod("followed", "f")
    log = node.host.log("f")
    log.write_text(_LINES)
    process = subprocess.Popen(
        ["kubectl", "--kubeconfig", str(kubeconfig), "logs", "-f", "followed"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(3)] == [b"one\n", b"two\n", b"three\n"]
    with log.open("a") as file:
        file.write("2026-01-01T00:00:03Z stdout F four\n")
    assert process.stdout.readline() == b"four\n"
    node.host.running.discard("f")
    assert process.communicate(timeout=30)[0] == b""
    assert process.returncode == 0


@pytest.mark.usefixtures("node")
def test_a_command_has_its_streams_and_its_exit_code(kubeconfig: Path) -> None:
    ran = kubectl(kubeconfig, "exec", "-i", "p", "--", "sh", "-c", "cat; echo err >&2; exit 3", stdin=b"hello")
    assert (ran.returncode, ran.stdout) == (3, b"hello")
    assert b"err\n" in ran.stderr


@pytest.mark.usefixtures("node")
def test_a_command_over_spdy(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "false")
    ran = kubectl(kubeconfig, "exec", "-i", "p", "--", "sh", "-c", "cat; exit 4", stdin=b"hello" * 100000)
    assert (ran.returncode, ran.stdout) == (4, b"hello" * 100000)


@pytest.mark.usefixtures("node")
def test_files_are_copied(kubeconfig: Path, tmp_path: Path) -> None:
    (tmp_path / "from").write_bytes(bytes(range(256)) * 4096)
    assert kubectl(kubeconfig, "cp", str(tmp_path / "from"), f"default/p:{tmp_path}/to").returncode == 0
    assert (tmp_path / "to").read_bytes() == (tmp_path / "from").read_bytes()


def test_attached_streams_are_passed_on(node: FakeNode, kubeconfig: Path) -> None:
    node.pod("interactive", "i", stdin=True)
    ran = kubectl(kubeconfig, "attach", "-i", "interactive", stdin=b"typed\n")
    assert b"typed\n" in ran.stdout
