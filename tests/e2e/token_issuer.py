"""An OpenID Connect issuer on a free port of this machine, with a certificate of an authority of its own.

It signs by itself, so that what reads its tokens is tried against something else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from webhook_server import Authority

AUDIENCE = "cluster"
WELL_KNOWN = "/.well-known/openid-configuration"


class TokenIssuer:
    """A running issuer: what it answers, what it was asked, and tokens of it."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.issue(directory, "127.0.0.1"))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self.documents[WELL_KNOWN] = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.publish({"rsa": self.rsa, "ec": self.ec})
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def publish(self, keys: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]) -> None:
        """Have these keys, by their ids, and no others."""
        self.documents["/keys"] = {"keys": [_web_key(kid, key) for kid, key in keys.items()]}

    def claims(self, **more: object) -> dict[str, object]:
        """Claims of a good token; None leaves one out."""
        now = int(time.time())
        usual: dict[str, object] = {"iss": self.url, "aud": AUDIENCE, "exp": now + 600, "iat": now, "sub": "jane"}
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def token(self, *, algorithm: str = "RS256", kid: str = "rsa", **more: object) -> str:
        """A token with such claims."""
        return self.signed({"alg": algorithm, "kid": kid, "typ": "JWT"}, self.claims(**more))

    def signed(self, header: dict[str, object], claims: object) -> str:
        """A token with exactly this header and these claims, signed as the header says."""
        text = f"{_base64(json.dumps(header).encode())}.{_base64(json.dumps(claims).encode())}"
        return f"{text}.{_base64(self._signature(str(header.get('alg')), text.encode()))}"

    def _signature(self, algorithm: str, text: bytes) -> bytes:
        digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}.get(algorithm[2:])
        if digest is None:
            return b""
        if algorithm.startswith("RS"):
            return self.rsa.sign(text, padding.PKCS1v15(), digest)
        if algorithm.startswith("PS"):
            return self.rsa.sign(text, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        if algorithm.startswith("HS"):  # with the public key as if it were a secret
            secret = self.rsa.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return hmac.new(secret, text, hashlib.sha256).digest()
        halves = decode_dss_signature(self.ec.sign(text, ec.ECDSA(digest)))
        return b"".join(half.to_bytes(32) for half in halves)

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(issuer: TokenIssuer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            found = issuer.documents.get(self.path, 404)
            code, body = (found, b"") if isinstance(found, int) else (200, json.dumps(found).encode())
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if code == 302:
                self.send_header("Location", f"{issuer.url}/elsewhere")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    return Handler


def _web_key(kid: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, str]:
    if isinstance(key, rsa.RSAPrivateKey):
        of = key.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "kid": kid, "n": _number(of.n), "e": _number(of.e)}
    point = key.public_key().public_numbers()
    return {"kty": "EC", "use": "sig", "kid": kid, "crv": "P-256", "x": _number(point.x, 32), "y": _number(point.y, 32)}


def _number(value: int, size: int = 0) -> str:
    return _base64(value.to_bytes(size or (value.bit_length() + 7) // 8))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@contextlib.contextmanager
def issuing(directory: Path, authority: Authority) -> Iterator[TokenIssuer]:
    """An issuer that is there for a while."""
    issuer = TokenIssuer(directory, authority)
    try:
        yield issuer
    finally:
        issuer.stop()
