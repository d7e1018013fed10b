"""A webhook on a free port of this machine, with a certificate of an authority of its own."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = Callable[[dict[str, Any]], Any]
"""Makes the answer of a review; bytes are sent as they are, a number is a code without a body."""


class Authority:
    """Certificates for servers, and the bundle that trusts them."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook authority")])
        made = _certificate(self._name, self._name, self._key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.bundle = base64.b64encode(self._pem).decode()

    def issue(self, directory: Path, *names: str) -> Path:
        """A file with a certificate for these names and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        alternatives = [_alternative(name) for name in names]
        made = _certificate(subject, self._name, key).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=False
        )
        pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        own = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = directory / f"{names[0]}.pem"
        path.write_bytes(own + pem)
        return path


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
    return builder.not_valid_after(now + dt.timedelta(days=1))


class Webhook:
    """A running webhook: what it was asked, by path, and how it answers there."""

    def __init__(self, certificate: Path | None) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Answer] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, path: str) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self.port}{path}"

    def reviews(self, path: str) -> list[dict[str, Any]]:
        """What was asked at this path."""
        return [review for where, review in self.asked if where.partition("?")[0] == path]

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            webhook.asked.append((self.path, review))
            answer = webhook.answers[self.path.partition("?")[0]](review)
            code, body = (answer, b"") if isinstance(answer, int) else (200, _bytes(answer))
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    return Handler


def _bytes(answer: object) -> bytes:
    return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def reviewed(review: dict[str, Any], **response: object) -> dict[str, Any]:
    """The answer of a webhook to a review."""
    answer = {"uid": review["request"]["uid"], **response}
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": answer}


def allowed(review: dict[str, Any]) -> dict[str, Any]:
    """A webhook that lets everything in."""
    return reviewed(review, allowed=True)


def patching(*operations: dict[str, Any]) -> Answer:
    """A webhook that patches everything."""
    patch = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda review: reviewed(review, allowed=True, patchType="JSONPatch", patch=patch)


@contextlib.contextmanager
def listening(certificate: Path | None) -> Iterator[Webhook]:
    """A webhook that is there for a while."""
    webhook = Webhook(certificate)
    try:
        yield webhook
    finally:
        webhook.stop()
