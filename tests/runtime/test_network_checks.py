"""HTTP and TCP probes against real servers, hostile ones among them."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from podward.policy.kubelet.probes import Result
from podward.runtime.network_checks import LARGEST_ANSWER, LIFECYCLE, PROBE, Guard, HttpCheck, TcpCheck, run

SEEN: list[dict[str, str]] = []


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        SEEN.append({name.lower(): value for name, value in self.headers.items()})
        status = int(self.path.strip("/").partition("?")[0] or "200")
        self.send_response(status)
        if status in (300, 302):
            self.send_header("Location", "/404")
        if status == 301:
            self.send_header("Location", "http://other.invalid/")
        if status == 308:
            self.send_header("Location", "http://[")
        if status == 307:
            self.send_header("Location", "/307")
        self.end_headers()
        self.wfile.write(b"y" * 100_000 if status == 203 else b"ok")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def check(port: int, path: str, *headers: tuple[str, str], purpose: str = PROBE) -> tuple[Result, str]:
    return run(HttpCheck("HTTP", "127.0.0.1", port, path, headers, 5.0, purpose))


@pytest.mark.parametrize(
    ("path", "result", "said"),
    [
        ("/200", Result.SUCCESS, "ok"),
        ("/399?a=b", Result.WARNING, "ok"),
        ("/404", Result.FAILURE, "HTTP probe failed with statuscode: 404"),
        ("/302", Result.FAILURE, "HTTP probe failed with statuscode: 404"),
        ("/301", Result.WARNING, "Probe terminated redirects, Response body: ok"),
        ("/307", Result.FAILURE, "stopped after 10 redirects"),
        ("/308", Result.FAILURE, "Invalid IPv6 URL"),
        ("/300", Result.WARNING, "ok"),
        ("204", Result.SUCCESS, ""),
    ],
)
def test_a_status_decides(port: int, path: str, result: Result, said: str) -> None:
    answer, text = check(port, path)
    assert answer is result
    assert said in text


def test_a_redirect_is_followed_however_the_host_is_written(port: int) -> None:
    answer, said = run(HttpCheck("HTTP", "LocalHost", port, "/302", (), 5.0))
    assert (answer, said) == (Result.FAILURE, "HTTP probe failed with statuscode: 404")


def test_any_answer_satisfies_a_hook(port: int) -> None:
    assert check(port, "/404", purpose=LIFECYCLE)[0] is Result.SUCCESS


def test_headers_are_the_kubelets_unless_the_manifest_says_otherwise(port: int) -> None:
    SEEN.clear()
    check(port, "/200")
    check(port, "/200", ("User-Agent", "mine"), ("Accept", ""), ("Host", "shop.example"))
    assert SEEN[0]["user-agent"].startswith("kube-probe/")
    assert SEEN[0]["accept"] == "*/*"
    assert "accept-encoding" not in SEEN[0]
    assert SEEN[1] == {"host": "shop.example", "user-agent": "mine", "connection": "close"}


def test_of_an_answer_only_the_beginning_is_read(port: int) -> None:
    assert len(check(port, "/203")[1]) == LARGEST_ANSWER


def test_nobody_who_listens_is_a_failure() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    why = f"dial tcp 127.0.0.1:{port}: connect: connection refused"
    assert check(port, "/") == (Result.FAILURE, f'Get "http://127.0.0.1:{port}/": {why}')
    assert run(TcpCheck("127.0.0.1", port, 5.0)) == (Result.FAILURE, why)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000])
def test_what_is_no_http_is_a_failure(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert check(listener.getsockname()[1], "/")[0] is Result.FAILURE
        server.join()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "http: server gave HTTP response to HTTPS client"),
        (b"220 mail.example ready\r\n", "tls: first record does not look like a TLS handshake"),
    ],
)
def test_a_server_that_does_not_encrypt_is_told_of_as_go_tells_of_it(answer: bytes, said: str) -> None:
    def serve() -> None:
        with listener.accept()[0] as client:
            client.sendall(answer)
            client.recv(4096)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        found = run(HttpCheck("HTTPS", "127.0.0.1", port, "/", (), 5.0))
    assert found == (Result.FAILURE, f'Get "https://127.0.0.1:{port}/": {said}')


def test_a_port_that_is_open_satisfies_a_tcp_probe(port: int) -> None:
    assert run(TcpCheck("127.0.0.1", port, 5.0)) == (Result.SUCCESS, "")


@pytest.mark.parametrize("scheme", ["HTTP", "HTTPS"])
def test_a_server_that_never_comes_to_an_end_is_left(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        guard, answers = Guard(), list[tuple[Result, str]]()
        port = listener.getsockname()[1]
        asked = HttpCheck(scheme, "127.0.0.1", port, "/", (), float("inf"))
        asking = threading.Thread(target=lambda: answers.append(run(asked, guard)))
        asking.start()
        connection, _ = listener.accept()
        with connection:
            connection.recv(1)
            guard.end()
            asking.join()
        assert answers[0][0] is Result.FAILURE


def test_a_hook_is_told_apart_from_a_probe(port: int) -> None:
    SEEN.clear()
    check(port, "/200", purpose=LIFECYCLE)
    assert SEEN[0]["user-agent"].startswith("kube-lifecycle/")
