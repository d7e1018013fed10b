"""Requests that the API server passes on to Pods, to what is behind Services and to nodes."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPSConnection, IncompleteRead
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from api_server import ADMIN, Server, running
from fake_node import FakeNode, serving

from podward.server.own_authority import OwnAuthority
from podward.server.process import advertised

ADDRESS = advertised("0.0.0.0")  # noqa: S104 - asked about, not bound
pytestmark = [
    pytest.mark.skipif(not ADDRESS, reason="no way leads out of this machine, so it has no address for a Pod"),
    pytest.mark.usefixtures("echo"),
]
POD = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), "--disable-admission-plugins", "ServiceAccount") as started:
        yield started


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked, or what the path asks for."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        sent = self._chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.rfile.read(length)
        if self.path.startswith("/moved"):
            self._send(302, b"", {"Location": "/elsewhere?x=1"})
        elif self.path.startswith("/page"):
            self._send(200, b'<p class=a><a href="/in">in</a><a href="http://other/out">out</a>', _HTML)
        elif self.path.startswith("/packed"):
            self._send(200, gzip.compress(b'<img src="/in"/>'), {**_HTML, "Content-Encoding": "gzip"})
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            told = {"method": self.command, "path": self.path, "body": sent.decode(), "headers": headers}
            self._send(299 if self.path.startswith("/odd") else 200, json.dumps(told).encode(), {"X-Told": "1"})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_HTML = {"Content-Type": "text/html; charset=utf-8"}


@contextmanager
def echoing(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer((ADDRESS, 0), Echo) as found:
        if tls is not None:
            found.socket = tls.wrap_socket(found.socket, server_side=True)
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield found.server_port
        finally:  # also where a test fails: its process waits for the thread
            found.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def echo(server: Server) -> Iterator[int]:
    """A Pod that has this machine's address, and the port of its server."""
    with echoing() as port:
        spec = {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": port}]}]}
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "echo"}, "spec": spec}
        code, made, _ = server.ask("POST", POD, obj)
        assert code == 201, made
        made["status"] = {"phase": "Running", "podIP": ADDRESS, "podIPs": [{"ip": ADDRESS}]}
        assert server.ask("PUT", f"{POD}/echo/status", made)[0] == 200
        yield port


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_reaches_a_pod_as_it_was_sent(server: Server, echo: int, method: str) -> None:
    body = None if method in {"GET", "DELETE", "OPTIONS"} else "hello"
    path = f"{POD}/echo:{echo}/proxy/some/path%20with/blanks?a=1&a=2&b=%2F"
    code, told, headers = server.ask(method, path, body, Accept="text/strange", X_Mine="yes")
    assert (code, told["method"], told["path"]) == (200, method, "/some/path%20with/blanks?a=1&a=2&b=%2F")
    assert told["body"] == (body or "")
    assert told["headers"]["x-mine"] == "yes"
    assert headers["X-Told"] == "1"


def test_head_has_no_body(server: Server) -> None:
    code, told, headers = server.ask("HEAD", f"{POD}/echo/proxy/x")
    assert (code, told) == (200, "")
    assert int(headers["Content-Length"]) > 100


def test_nobody_else_sees_who_called(server: Server, echo: int) -> None:
    _, told, _ = server.ask(
        "GET", f"{POD}/http:echo:{echo}/proxy/x", Impersonate_User="carol", Impersonate_Group="system:masters"
    )
    assert "impersonate" not in json.dumps(told).lower()
    assert ADMIN not in json.dumps(told)
    _, told, _ = server.ask("GET", f"{POD}/echo/proxy/x", X_Remote_User="admin")
    assert "authorization" not in told["headers"]
    assert "x-remote-user" not in told["headers"]
    assert told["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert told["headers"]["x-forwarded-uri"] == f"{POD}/echo/proxy/x"


def test_a_code_that_nobody_knows_is_passed_on(server: Server) -> None:
    assert server.ask("GET", f"{POD}/echo/proxy/odd")[0] == 299


def test_a_redirect_leads_through_the_proxy(server: Server) -> None:
    code, _, headers = server.ask("GET", f"{POD}/echo/proxy/moved")
    assert (code, headers["Location"]) == (302, f"{POD}/echo/proxy/elsewhere?x=1")
    code, _, headers = server.ask("GET", f"{POD}/echo/proxy?a=1")
    assert (code, headers["Location"]) == (301, f"{POD}/echo/proxy/?a=1")


def test_links_of_pages_lead_through_the_proxy(server: Server) -> None:
    page = server.ask("GET", f"{POD}/echo/proxy/page")[1]
    assert page == f'<p class=a><a href="{POD}/echo/proxy/in">in</a><a href="http://other/out">out</a>'
    where = urlsplit(server.url)
    with closing(HTTPSConnection(where.hostname or "", where.port, context=server.context)) as connection:
        connection.request("GET", f"{POD}/echo/proxy/packed", headers={"Authorization": f"Bearer {ADMIN}"})
        assert gzip.decompress(connection.getresponse().read()) == f'<img src="{POD}/echo/proxy/in"/>'.encode()


def test_a_body_of_unknown_length_is_passed_on(server: Server) -> None:
    where = urlsplit(server.url)
    with closing(HTTPSConnection(where.hostname or "", where.port, context=server.context)) as connection:
        connection.request(
            "POST", f"{POD}/echo/proxy/x", body=iter([b"one", b"two"]), encode_chunked=True,
            headers={"Authorization": f"Bearer {ADMIN}", "Transfer-Encoding": "chunked"},
        )  # fmt: skip
        assert json.loads(connection.getresponse().read())["body"] == "onetwo"


def test_what_is_not_there_is_told_in_the_servers_words(server: Server) -> None:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    code, told, _ = server.ask("GET", f"{POD}/echo:{port}/proxy/")
    assert code == 503
    assert told["message"] == (f"error trying to reach service: dial tcp {ADDRESS}:{port}: connect: connection refused")
    assert server.ask("GET", f"{POD}/none/proxy/")[0] == 404
    assert server.ask("GET", f"{POD}/ftp:echo:1/proxy/")[1]["message"] == 'invalid pod request "ftp:echo:1"'
    for address in ("127.0.0.1", "169.254.1.1"):
        made = server.ask("GET", f"{POD}/echo")[1]
        made["status"] = {**made["status"], "podIP": address, "podIPs": [{"ip": address}]}
        made["metadata"]["name"] = "odd"
        for name in ("resourceVersion", "uid"):
            del made["metadata"][name]
        server.ask("DELETE", f"{POD}/odd?gracePeriodSeconds=0")
        assert server.ask("POST", POD, made)[0] == 201
        fresh = server.ask("GET", f"{POD}/odd")[1]
        fresh["status"] = made["status"]
        assert server.ask("PUT", f"{POD}/odd/status", fresh)[0] == 200
        assert server.ask("GET", f"{POD}/odd/proxy/")[1]["message"] == "address not allowed"


def test_a_service_leads_to_the_pods_behind_it(server: Server, echo: int, tmp_path: Path) -> None:
    authority = OwnAuthority(str(server.data))
    pair = authority.serving(["whoever"])
    (tmp_path / "pair.pem").write_bytes(pair.key + pair.certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pair.pem")
    services = "/api/v1/namespaces/default/services"
    with echoing(tls) as secured:
        ports = [{"name": "plain", "port": 80}, {"name": "secure", "port": 443}]
        obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": ports}}
        assert server.ask("POST", services, obj)[0] == 201
        assert (
            server.ask("GET", f"{services}/s:plain/proxy/x")[0] == 404
        )  # as of a Service whose Endpoints nobody has made
        piece = {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "s-1", "labels": {"kubernetes.io/service-name": "s"}},
            "endpoints": [
                {"addresses": [ADDRESS], "targetRef": {"kind": "Pod", "namespace": "default", "name": "echo"}}
            ],
            "ports": [{"name": "plain", "port": echo}, {"name": "secure", "port": secured}],
        }  # fmt: skip
        assert server.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", piece)[0] == 201
        for name in ("s:plain", "http:s:plain", "s:80", "https:s:secure", "https:s:443"):
            code, told, _ = server.ask("GET", f"{services}/{name}/proxy/in/it")
            assert (code, told["path"]) == (200, "/in/it")
        assert server.ask("GET", f"{services}/s:81/proxy/x")[1]["message"] == 'no service port 81 found for service "s"'


def test_an_address_that_is_no_pods_is_not_asked(server: Server, echo: int) -> None:
    """Who may write EndpointSlices could have the server call anybody."""
    services = "/api/v1/namespaces/default/services"
    obj = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "t"}, "spec": {"ports": [{"port": 80}]}}
    assert server.ask("POST", services, obj)[0] == 201
    for name, endpoint in (
        ("t-1", {"addresses": [ADDRESS]}),
        ("t-2", {"addresses": ["10.9.8.7"], "targetRef": {"kind": "Pod", "namespace": "default", "name": "echo"}}),
    ):
        piece = {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": name, "labels": {"kubernetes.io/service-name": "t"}},
            "endpoints": [endpoint], "ports": [{"name": "", "port": echo}],
        }  # fmt: skip
        assert server.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", piece)[0] == 201
    assert server.ask("GET", f"{services}/t/proxy/x")[1]["message"] == 'no endpoints available for service "t"'


def test_who_does_not_agree_to_another_protocol_is_told_of(server: Server) -> None:
    code, _, _ = server.ask("GET", f"{POD}/echo/proxy/x", Connection="Upgrade", Upgrade="websocket")
    assert code == 500  # for what it answered was no refusal


@pytest.fixture(scope="module")
def node(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeNode]:
    with serving(server, tmp_path_factory.mktemp("node"), ADDRESS) as started:
        started.register(ADDRESS)
        yield started


def test_a_node_is_asked_as_the_server(server: Server, node: FakeNode) -> None:
    assert server.ask("GET", "/api/v1/nodes/n1/proxy/healthz")[:2] == (200, "ok")
    assert server.ask("GET", f"/api/v1/nodes/n1:{node.port}/proxy/pods")[1]["kind"] == "PodList"
    assert server.ask("GET", "/api/v1/nodes/n1/proxy/none")[0] == 404
    assert server.ask("GET", "/api/v1/nodes/n2/proxy/pods")[1]["message"] == 'nodes "n2" not found'
    assert "node_cpu_usage_seconds_total" in server.ask("GET", "/api/v1/nodes/n1/proxy/metrics/resource")[1]


_ODD = {
    "nothing": (b"", 503),
    "no HTTP": (b"\0\xff\r\n\r\n", 503),
    "no code": (b"HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n", 503),
    "another protocol unasked": (b"HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 503),
    "endless headers": (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000, 503),
    "a header of several lines": (b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", 503),
    "a header that is no text": (b"HTTP/1.1 302 OK\r\nLocation: /a\x0bb\r\nContent-Length: 0\r\n\r\n", 302),
    "a broken link": (b"HTTP/1.1 302 OK\r\nLocation: http://[b\r\nContent-Length: 0\r\n\r\n", 302),
    "our audit id": (b"HTTP/1.1 200 OK\r\nAudit-Id: mine\r\nContent-Length: 0\r\n\r\n", 200),
}


@pytest.mark.parametrize("sent", _ODD.values(), ids=_ODD)
def test_whatever_a_pod_answers_the_server_goes_on(server: Server, sent: tuple[bytes, int]) -> None:
    with _saying(sent[0]) as port:
        code, _, headers = server.ask("GET", f"{POD}/echo:{port}/proxy/x")
    assert code == sent[1]
    assert headers["Audit-Id"] != "mine"
    assert "Set-Cookie" not in headers


def test_an_answer_that_breaks_off_is_not_taken_for_whole(server: Server) -> None:
    with (
        _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello") as port,
        pytest.raises((IncompleteRead, OSError)),
    ):
        server.ask("GET", f"{POD}/echo:{port}/proxy/x")


@contextmanager
def _saying(sent: bytes) -> Iterator[int]:
    """A server that says this to whoever asks; its port."""
    with socket.create_server((ADDRESS, 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1 << 16)
                        connection.sendall(sent)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()
