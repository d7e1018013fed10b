"""Logs, commands and ports of Pods by way of the API server and a node, and proxies: with kubectl and by hand."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

import aiohttp
import pytest
from api_server import ADMIN, Server, running
from fake_node import FakeNode, serving

from podward.node.server import serving as node_serving

ALICE = "alice-token"
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


@pytest.mark.usefixtures("node")
def test_a_port_is_forwarded(kubeconfig: Path) -> None:
    with _serving_http(b"over the port") as port:
        process = subprocess.Popen(
            ["kubectl", "--kubeconfig", str(kubeconfig), "port-forward", "p", f":{port}"], stdout=subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            local = process.stdout.readline().split(b" -> ")[0].rpartition(b":")[2].decode()
            for _ in range(3):
                with urlopen(f"http://127.0.0.1:{local}/") as answer:
                    assert answer.read() == b"over the port"
        finally:
            process.terminate()
            process.communicate(timeout=30)


@contextmanager
def _serving_http(body: bytes) -> Iterator[int]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_who_may_only_get_a_stream_may_not_open_it(server: Server) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "getting"}}
    rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get"]}]
    group = "/apis/rbac.authorization.k8s.io/v1"
    assert server.ask("POST", f"{group}/clusterroles", {**role, "rules": rules})[0] == 201
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "getting"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "getting"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}],
    }  # fmt: skip
    assert server.ask("POST", f"{group}/clusterrolebindings", binding)[0] == 201
    path = "/api/v1/namespaces/default/pods/p/exec?command=id&stdout=1"
    code, answer, _ = server.ask("GET", path, token=ALICE, Connection="Upgrade", Upgrade="websocket")
    assert (code, answer["reason"]) == (403, "Forbidden")


def test_a_node_serves_nobody_without_a_right(node: FakeNode) -> None:
    context = ssl.create_default_context(cafile=str(node.server.data / "kubelet-ca.crt"))

    def ask(token: str, path: str) -> int:
        connection = HTTPSConnection("127.0.0.1", node.port, context=context, timeout=30)
        with closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            return connection.getresponse().status

    assert ask("", "/pods") == 401
    assert ask("no-such-token", "/pods") == 401
    assert ask("bob-token", "/pods") == 403
    assert ask("admin-token", "/pods") == 200
    assert ask("admin-token", "/no/such/path") == 404
    assert ask("bob-token", "/healthz") == 403


def test_logs_and_commands_over_a_websocket(node: FakeNode) -> None:
    there = node.server

    async def messages(path: str, protocol: str) -> list[bytes]:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(f"{there.url}{path}", protocols=[protocol], ssl=there.context) as socket,
        ):
            found = [message.data async for message in socket]
        await asyncio.sleep(0.05)  # the library leaves TLS to say good-bye by itself
        return found

    node.host.log("c").write_text(_LINES)
    pod = "/api/v1/namespaces/default/pods/p"
    assert b"".join(asyncio.run(messages(f"{pod}/log", "binary.k8s.io"))) == b"one\ntwo\nthree\n"
    said = asyncio.run(messages(f"{pod}/exec?command=echo&command=said&stdout=1&stderr=1", "channel.k8s.io"))
    assert said == [b"\1", b"\1said\n"]


def test_who_asks_a_node_for_nothing_is_let_go(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_serving, "_PATIENCE", 0.2)
    context = ssl.create_default_context(cafile=str(server.data / "kubelet-ca.crt"))
    with (
        serving(server, tmp_path) as other,
        socket.create_connection(("127.0.0.1", other.port), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as silent,
    ):
        assert silent.recv(1) == b""
