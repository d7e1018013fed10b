"""Clients that mean harm get an answer or lose their connection; the server stays, small and quick, for the others."""

from __future__ import annotations

import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import Server, running

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
LIMIT = 3 * 1024 * 1024
ALIASES = "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [
    f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 12)
])  # fmt: skip


def memory(server: Server) -> int:
    """The server's memory in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) // 1024


def serves(server: Server) -> None:
    """The server answers somebody else, soon."""
    began = time.monotonic()
    assert server.ask("GET", "/readyz")[0] == 200
    assert time.monotonic() - began < 20


@pytest.fixture(name="hostile", scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("hostile")) as started:
        yield started


BOMBS = {
    "deep JSON": ("application/json", '{"data":' * 100_000 + "1" + "}" * 100_000),
    "deep list": ("application/json", '{"a":' + "[" * 500_000),
    "deep YAML": ("application/yaml", "a: " + "[" * 20_000),
    "deep YAML maps": ("application/yaml", "{a: " * 20_000),
    "aliases": (
        "application/yaml",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  k: v\n{ALIASES}",
    ),
    "an alias of itself": ("application/yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: &m {name: x, labels: *m}\n"),
    "a great number": ("application/json", '{"metadata":{"generation":' + "9" * 1_000_000 + "}}"),
    "a great exponent": ("application/json", '{"metadata":{"generation":1e999999999}}'),
    "many names": ("application/json", "{" + ",".join(f'"k{n}":1' for n in range(150_000)) + "}"),
    "one name many times": ("application/json", "{" + ",".join(['"k":1'] * 300_000) + "}"),
    "no text": ("application/json", "\udcff\udcfe".encode("utf-8", "surrogateescape").decode("latin-1")),
    "half of a pair": ("application/json", '{"metadata":{"name":"\\ud800"}}'),
    "NUL": ("application/json", '{"kind":"ConfigMap","metadata":{"name":"a\\u0000b"}}'),
    "YAML tags": ("application/yaml", "!!python/object/apply:os.system ['id']"),
    "documents": ("application/yaml", "---\na: b\n" * 100_000),
    "Protobuf": ("application/vnd.kubernetes.protobuf", "k8s\0" + "\x0a\x7f" * 300_000),
    "a patch": ("application/json-patch+json", "[" + ",".join(['{"op":"test","path":"/","value":1}'] * 60_000) + "]"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused(hostile: Server, name: str) -> None:
    media, body = BOMBS[name]
    before, began = memory(hostile), time.monotonic()
    method, path = ("PATCH", f"{CONFIG_MAPS}/x") if "patch" in media else ("POST", CONFIG_MAPS)
    code, told, _ = hostile.ask(
        method, path, body.encode("utf-8", "surrogateescape").decode("latin-1"), Content_Type=media
    )
    assert 400 <= code < 500, told
    assert time.monotonic() - began < 20
    assert memory(hostile) - before < 150
    serves(hostile)


def test_an_endless_body_is_cut_off(hostile: Server) -> None:
    before = memory(hostile)
    with hostile.socket() as connection:
        connection.sendall(
            f"POST {CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        end = time.monotonic() + 20
        with contextlib.suppress(OSError):
            while time.monotonic() < end:
                connection.sendall(chunk)
                time.sleep(0.01)
    assert time.monotonic() < end, "it went on and on"
    assert memory(hostile) - before < 60
    serves(hostile)


def test_a_body_that_is_too_large_is_refused_in_words(hostile: Server) -> None:
    code, told, _ = hostile.ask("POST", CONFIG_MAPS, " " * (LIMIT + 1))
    assert (code, told["reason"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(
    "head",
    [
        "GET /" + "a" * 200_000 + " HTTP/1.1\r\n",
        "GET /api HTTP/1.1\r\nX: " + "a" * 200_000 + "\r\n",
        "GET /api HTTP/1.1\r\n" + "".join(f"X-{n}: a\r\n" for n in range(40_000)),
        "GET /api?" + "&".join(f"labelSelector=a{n}" for n in range(12_000)) + " HTTP/1.1\r\n",
        "GET /api HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
        "GET /api HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "GET /api HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
        "GET /api HTTP/1.1\r\nContent-Length: -1\r\n",
        "GET /api HTTP/9.9\r\n",
        "GET\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
    ],
    ids=[
        "target",
        "header",
        "headers",
        "query",
        "lengths",
        "smuggling",
        "codings",
        "negative",
        "version",
        "half",
        "TLS",
    ],
)
def test_an_odd_head_is_no_trouble(hostile: Server, head: str) -> None:
    before = memory(hostile)
    with hostile.socket() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(head.encode("latin-1") + b"Host: x\r\n\r\n")
        connection.settimeout(20)
        answer = b""
        with contextlib.suppress(OSError):
            answer = connection.recv(65536)
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5")), answer[:300]
    assert memory(hostile) - before < 60
    serves(hostile)


def test_slow_and_idle_connections_leave_room_for_others(hostile: Server) -> None:
    """A thousand that say nothing, and a hundred that say a letter now and then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2400:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    where = urlsplit(hostile.url)
    before = memory(hostile)
    with contextlib.ExitStack() as stack:
        idle: list[ssl.SSLSocket] = []
        for _ in range(1000):
            plain = socket.create_connection((where.hostname or "", where.port or 0), timeout=30)
            idle.append(stack.enter_context(hostile.context.wrap_socket(plain, server_hostname=where.hostname)))
        for slow in idle[:100]:
            slow.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\nX: ")
        for _ in range(3):
            for slow in idle[:100]:
                slow.sendall(b"a")
            serves(hostile)
        assert memory(hostile) - before < 150
        began = time.monotonic()
        with hostile.session() as session:
            for number in range(50):
                body = {"metadata": {"name": f"idle-{number}"}}
                assert session.ask("POST", CONFIG_MAPS, body)[0] == 201
        assert time.monotonic() - began < 20
    serves(hostile)


def test_a_flood_of_watches_that_nobody_reads_is_no_trouble(hostile: Server) -> None:
    before = memory(hostile)
    head = f"GET {CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(hostile.socket()).sendall(head)
        with hostile.session() as session:
            for number in range(100):
                body = {"metadata": {"name": f"flood-{number}"}, "data": {"k": "v" * 20_000}}
                assert session.ask("POST", CONFIG_MAPS, body)[0] == 201
        serves(hostile)
        assert memory(hostile) - before < 250
    serves(hostile)


def test_half_closed_and_reset_connections_are_let_go(hostile: Server) -> None:
    files = Path(f"/proc/{hostile.process.pid}/fd")
    before = len(list(files.iterdir()))
    for _ in range(100):
        with hostile.socket() as connection:
            connection.sendall(f"GET {CONFIG_MAPS}?watch=1 HTTP/1.1\r\nHost: x\r\n".encode())
    end = time.monotonic() + 60
    while len(list(files.iterdir())) > before + 10:
        assert time.monotonic() < end
        time.sleep(0.2)
    serves(hostile)
