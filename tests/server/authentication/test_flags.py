"""Callers of a running server, as its flags name them: passwords, other authorities, a proxy, keys of accounts."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_server import Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"


class Clients:
    """An authority of clients."""

    def __init__(self, directory: Path, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._directory = directory
        ca = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.pem = ca.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.pem)

    def client(self, name: str) -> str:
        """A file with the certificate and the key of a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        pem = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        own = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._directory / f"{name}-client.pem"
        path.write_bytes(own + pem)
        return str(path)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        return builder.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + day)


def who(server: Server, client: str = "", **headers: str) -> dict[str, Any] | None:
    """The user whom a client certificate, or headers, name; None for nobody, and where TLS refuses already."""
    context = ssl.create_default_context(cafile=str(server.data / "ca.crt"))
    if client:
        context.load_cert_chain(client)
    where = urlsplit(server.url)
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=20)
    sent = {"Content-Type": "application/json", **{name.replace("_", "-"): each for name, each in headers.items()}}
    with contextlib.closing(connection):
        try:
            connection.request("POST", WHOAMI, json.dumps(REVIEW), sent)
            answer = connection.getresponse()
        except (ssl.SSLError, ConnectionError):
            return None
        found = json.loads(answer.read())
    return dict(found["status"]["userInfo"]) if answer.status == 201 else None


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flags")


@pytest.fixture(scope="module")
def proxies(directory: Path) -> Clients:
    return Clients(directory, "proxies")


@pytest.fixture(scope="module")
def server(directory: Path, proxies: Clients) -> Iterator[Server]:
    passwords = directory / "passwords.csv"
    passwords.write_text('secret,jane,7,"dev"\n')
    passwords.chmod(0o600)
    key = directory / "signing.pem"
    made = ec.generate_private_key(ec.SECP256R1())
    key.write_bytes(
        made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key.chmod(0o600)
    server = Server(
        directory, f"--basic-auth-file={passwords}", "--service-account-issuer=https://one.example",
        "--service-account-issuer=https://two.example", f"--service-account-signing-key-file={key}",
        "--api-audiences=api,other", "--service-account-max-token-expiration=1h",
        f"--requestheader-client-ca-file={proxies.file}", "--requestheader-allowed-names=proxy",
        "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
    )  # fmt: skip
    try:
        yield server
    finally:
        server.process.terminate()
        _, errors = server.process.communicate(timeout=30)
    assert "secret" not in errors


def test_a_password_names_its_user(server: Server) -> None:
    assert who(server, Authorization=basic("jane", "secret")) == {
        "username": "jane",
        "uid": "7",
        "groups": ["dev", "system:authenticated"],
    }
    assert who(server, Authorization=basic("jane", "wrong")) is None
    assert who(server, Authorization=basic("nobody", "secret")) is None


def test_the_headers_of_an_allowed_proxy_name_the_user(server: Server, proxies: Clients) -> None:
    sent = {"X_Remote_User": "jane", "X_Remote_Group": "dev"}
    found = who(server, proxies.client("proxy"), **sent)
    assert found == {"username": "jane", "groups": ["dev", "system:authenticated"]}
    assert who(server, proxies.client("other"), **sent) is None
    assert who(server, **sent) is None


def test_tokens_of_accounts_have_the_first_issuer_and_no_longer_life_than_allowed(server: Server) -> None:
    server.ask("POST", ACCOUNTS, {"metadata": {"name": "robot"}})
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    code, issued, headers = server.ask("POST", f"{ACCOUNTS}/robot/token", body)
    assert code == 201
    assert issued["spec"]["expirationSeconds"] == 3600
    assert headers["Warning"] == '299 - "requested expiration of 7200 seconds shortened to 3600 seconds"'
    token = issued["status"]["token"]
    part = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert (claims["iss"], claims["aud"]) == ("https://one.example", ["api", "other"])
    found = who(server, Authorization=f"Bearer {token}")
    assert found is not None
    assert found["username"] == "system:serviceaccount:default:robot"


def test_others_find_out_how_to_verify_tokens(server: Server) -> None:
    code, found, headers = server.ask("GET", "/.well-known/openid-configuration")
    assert (code, found["issuer"]) == (200, "https://one.example")
    assert found["jwks_uri"].startswith("https://")
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    assert found["id_token_signing_alg_values_supported"] == ["ES256"]
    assert (headers["Content-Type"], headers["Cache-Control"]) == ("application/json", "public, max-age=3600")
    code, found, headers = server.ask("GET", "/openid/v1/jwks")
    assert (code, headers["Content-Type"]) == (200, "application/jwk-set+json")
    assert [(key["kty"], key["crv"], key["alg"], key["use"]) for key in found["keys"]] == [
        ("EC", "P-256", "ES256", "sig")
    ]
    assert server.ask("GET", "/openid/v1/jwks", Accept="text/html")[0] == 406
    assert server.ask("POST", "/openid/v1/jwks", {})[0] == 405
    assert server.ask("GET", "/openid/v1/jwks", token="")[0] == 403


def test_authorities_of_clients_are_read_again(tmp_path: Path) -> None:
    one, two = Clients(tmp_path, "one"), Clients(tmp_path, "two")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(one.pem)
    server = Server(tmp_path, f"--client-ca-file={trusted}")
    former, later = one.client("jane"), two.client("john")
    try:
        assert (who(server, former) or {})["username"] == "jane"
        assert who(server, later) is None
        trusted.write_bytes(two.pem)
        end = time.monotonic() + 20
        while who(server, later) is None:
            assert time.monotonic() < end
            time.sleep(0.2)
        assert who(server, former) is None
    finally:
        server.process.terminate()
        server.process.communicate(timeout=30)


@pytest.mark.parametrize(("mode", "code"), [("AlwaysAllow", 401), ("RBAC,AlwaysAllow", 401), ("RBAC", 403)])
def test_nobody_is_anonymous_where_everything_is_allowed(tmp_path: Path, mode: str, code: int) -> None:
    server = Server(tmp_path, f"--authorization-mode={mode}")
    try:
        assert server.ask("GET", "/api/v1/secrets", token="")[0] == code
    finally:
        server.process.terminate()
        _, errors = server.process.communicate(timeout=30)
    assert ("Resetting AnonymousAuth to false" in errors) == (code == 401)


def test_every_client_being_the_proxy_is_refused(tmp_path: Path) -> None:
    file = Clients(tmp_path, "both").file
    with pytest.raises(AssertionError, match="contain overlapping certificates"):
        Server(tmp_path, f"--client-ca-file={file}", f"--requestheader-client-ca-file={file}")
