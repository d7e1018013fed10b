"""Registries for tests: a small one of our own that does as it is told and remembers who asked, and Debian's."""

from __future__ import annotations

import hashlib
import http.server
import json
import select
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.runtime.images.conftest import Layout

from podward.server.own_authority import OwnAuthority

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Request(NamedTuple):
    """What a client sent."""

    method: str
    path: str
    authorization: str
    body: bytes
    proxy: str = ""


class Answer(NamedTuple):
    """What it gets."""

    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Served:
    """A registry: `contents` by path; `before` may answer first; `said_size` is another Content-Length by path."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.before: Callable[[Request], Answer | None] = lambda _: None
        self.said_size: dict[str, int] = {}
        self.requests: list[Request] = []
        self.host = ""

    def add(self, layout: Layout, repository: str, tag: str) -> str:
        """Serve the layout's last image; returns its manifest's digest."""
        for blob in (layout.path / "blobs/sha256").iterdir():
            self.contents[f"/v2/{repository}/blobs/sha256:{blob.name}"] = blob.read_bytes()
        descriptor = layout.manifests[-1]
        content = layout.blob_path(descriptor).read_bytes()
        for name in (tag, descriptor["digest"]):
            self.contents[f"/v2/{repository}/manifests/{name}"] = content
        return str(descriptor["digest"])

    def put_manifest(self, repository: str, tag: str, manifest: object) -> str:
        """Serve this manifest; returns its digest."""
        content = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        for name in (tag, digest):
            self.contents[f"/v2/{repository}/manifests/{name}"] = content
        return digest

    def asked(self, what: str) -> list[str]:
        """The paths that were asked for and have this in them."""
        return [request.path for request in self.requests if what in request.path]

    def answer(self, request: Request) -> Answer:
        """The answer to this request."""
        self.requests.append(request)
        found = self.before(request)
        if found is not None:
            return found
        content = self.contents.get(request.path.partition("?")[0])
        if content is None:
            return Answer(404, b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}')
        return Answer(200, content)


@contextmanager
def serving(authority: OwnAuthority | None = None) -> Iterator[Served]:
    """A registry of ours on loopback, with TLS if there is an authority."""
    served = Served()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = (self.headers.get("Authorization") or "", body, self.headers.get("Proxy-Authorization") or "")
            answer = served.answer(Request(self.command, self.path, *told))
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            size = served.said_size.get(self.path, len(answer.content))
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(answer.content)
            self.close_connection = size != len(answer.content)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Clients that are killed are no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if authority is not None:
            server.socket = tls_context(authority).wrap_socket(server.socket, server_side=True)
        served.host = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def tls_context(authority: OwnAuthority) -> ssl.SSLContext:
    """A server's context with a certificate of this authority for loopback."""
    certificate, key = write_pair(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def write_pair(authority: OwnAuthority) -> tuple[str, str]:
    """Files with a server's certificate of this authority, and its key."""
    pair = authority.serving(["localhost", "127.0.0.1", "r.example.com"])
    place = Path(authority.certificate_file).parent
    (place / "server.crt").write_bytes(pair.certificate)
    (place / "server.key").write_bytes(pair.key)
    return str(place / "server.crt"), str(place / "server.key")


@contextmanager
def docker_registry(directory: Path, more: dict[str, object] | None = None) -> Iterator[str]:
    """Debian's registry on loopback, with more configuration; yields HOST:PORT."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    extra = dict(more or {})
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(directory / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}", **({"tls": extra.pop("tls")} if "tls" in extra else {})},
        **extra,
    }
    (directory / "registry.yml").write_text(json.dumps(config))  # JSON is YAML
    with subprocess.Popen(
        ["docker-registry", "serve", str(directory / "registry.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5):
                    break
            except OSError:
                time.sleep(0.02)
        yield f"127.0.0.1:{port}"
        server.kill()


@contextmanager
def tunnel(target: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A proxy that connects all to this HOST:PORT; yields its own, and what it was asked by whom."""
    asked: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append((self.requestline, self.headers.get("Proxy-Authorization") or ""))
            host, _, port = target.partition(":")
            with socket.create_connection((host, int(port))) as other:
                self.send_response(200)
                self.end_headers()
                self.wfile.flush()
                both = {self.connection: other, other: self.connection}
                while True:
                    for ready in select.select(both, (), ())[0]:
                        piece = ready.recv(1 << 16)
                        if not piece:
                            return
                        both[ready].sendall(piece)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """Something on loopback that sends these bytes to whoever connects and asks, and hangs up; yields HOST:PORT."""
    stop = threading.Event()

    def serve(listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            with connection:
                if stop.is_set():
                    return
                try:
                    if connection.recv(1 << 16):
                        connection.sendall(raw)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            socket.create_connection(listening.getsockname()).close()
            thread.join()
