"""Tokens of an OpenID Connect issuer at a running server: its keys are fetched, and fetched again when they change."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from api_server import Server
from cryptography.hazmat.primitives.asymmetric import rsa
from token_issuer import WELL_KNOWN, TokenIssuer, issuing
from webhook_server import Authority

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
TOKEN_REVIEW = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105 - a path


class World(NamedTuple):
    """A server, and an issuer that it trusts."""

    server: Server
    issuer: TokenIssuer
    said: list[str]

    def who(self, token: str) -> dict[str, Any] | None:
        """The user who bears the token; None for nobody."""
        code, answer, _ = self.server.ask("POST", WHOAMI, REVIEW, token=token)
        return dict(answer["status"]["userInfo"]) if code == 201 else None

    def error(self, token: str) -> str:
        """Why the token is nobody's."""
        body = {"apiVersion": REVIEW["apiVersion"], "kind": "TokenReview", "spec": {"token": token}}
        code, answer, _ = self.server.ask("POST", TOKEN_REVIEW, body)
        assert code == 201, answer
        return str(answer["status"].get("error", ""))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("oidc")
    bundle = directory / "issuer-ca.pem"
    bundle.write_bytes(base64.b64decode(authority.bundle))
    said: list[str] = []
    with issuing(directory, authority) as issuer:
        flags = (
            f"--oidc-issuer-url={issuer.url}", "--oidc-client-id=cluster", f"--oidc-ca-file={bundle}",
            "--oidc-groups-claim=groups", "--oidc-groups-prefix=oidc:", "--oidc-required-claim=hd=example.com",
        )  # fmt: skip
        server = Server(directory, *flags)
        try:
            made = World(server, issuer, said)
            _wait(lambda: made.who(issuer.token(hd="example.com")) is not None)
            yield made
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
    for token in said:
        assert token not in errors


def _wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_good_token_names_its_user(world: World) -> None:
    found = world.who(world.issuer.token(hd="example.com", groups=["a", "b"], jti="x"))
    assert found == {
        "username": f"{world.issuer.url}#jane",
        "groups": ["oidc:a", "oidc:b", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": ["JTI=x"]},
    }


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "x"}, 'expected audience "cluster" got ["x"]'),
        ({"exp": 5}, "token is expired (Token Expiry: 1970-01-01 00:00:05 +0000 UTC)"),
        ({"nbf": 32503680000}, "before the nbf (not before) time: 3000-01-01"),
        ({"hd": None}, "required claim hd not present in ID token"),
        ({"hd": "x"}, "required claim hd value does not match. Got = x, want = example.com"),
        ({"algorithm": "none"}, 'unsupported algorithm, expected ["RS256"] got "none"'),
        ({"algorithm": "HS256"}, 'unsupported algorithm, expected ["RS256"] got "HS256"'),
        ({"algorithm": "PS256"}, 'unsupported algorithm, expected ["RS256"] got "PS256"'),
        ({"kid": "ec"}, "failed to verify id token signature"),
        ({"kid": "unknown"}, "failed to verify id token signature"),
    ],
)
def test_a_token_that_is_not_good_is_nobodys(world: World, claims: dict[str, Any], why: str) -> None:
    token = world.issuer.token(**{"hd": "example.com", **claims})
    world.said.append(token)
    assert world.who(token) is None
    error = world.error(token)
    assert error.startswith("[invalid bearer token, oidc: ")
    assert why in error


def test_a_token_of_somebody_else_is_nobodys(world: World) -> None:
    for issuer in ("https://elsewhere.example", f"{world.issuer.url}/", ["x"], None):
        assert world.error(world.issuer.token(iss=issuer, hd="example.com")) == "invalid bearer token"


def test_a_signature_that_was_tampered_with_fits_no_key(world: World) -> None:
    head, claims, signature = world.issuer.token(hd="example.com").split(".")
    for token in (f"{head}.{claims}.", f"{head}.{claims}.{signature[:-4]}AAAA", f"{head}.{signature}.{signature}"):
        assert world.who(token) is None


def test_new_keys_are_fetched_but_not_as_often_as_somebody_likes(world: World) -> None:
    issuer, former = world.issuer, world.issuer.rsa
    time.sleep(10.5)  # until it may be asked again
    issuer.rsa = rsa.generate_private_key(65537, 2048)
    issuer.publish({"newer": issuer.rsa})
    assert world.who(issuer.token(kid="newer", hd="example.com")) is not None
    issuer.rsa = former
    assert world.who(issuer.token(kid="rsa", hd="example.com")) is None
    issuer.asked.clear()
    for number in range(30):
        assert world.who(issuer.token(kid=f"k{number}", hd="example.com")) is None
    assert len(issuer.asked) < 10
    issuer.publish({"rsa": issuer.rsa, "ec": issuer.ec})


def test_an_issuer_that_does_not_answer_names_nobody_and_is_asked_again(tmp_path: Path, authority: Authority) -> None:
    bundle = tmp_path / "issuer-ca.pem"
    bundle.write_bytes(base64.b64decode(authority.bundle))
    with issuing(tmp_path, authority) as issuer:
        document, issuer.documents[WELL_KNOWN] = issuer.documents[WELL_KNOWN], 302
        flags = (f"--oidc-issuer-url={issuer.url}", "--oidc-client-id=cluster", f"--oidc-ca-file={bundle}")
        server = Server(tmp_path, *flags)
        try:
            made = World(server, issuer, [])
            token = issuer.token()
            assert made.error(token) == "[invalid bearer token, oidc: authenticator not initialized]"
            assert made.who("admin-token") is not None
            assert "/elsewhere" not in issuer.asked
            issuer.documents[WELL_KNOWN] = document
            _wait(lambda: made.who(token) is not None)
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
    assert f"issuer {issuer.url}: it cannot be asked about itself: Get " in errors
    assert token not in errors


def test_a_server_whose_issuer_is_not_trusted_does_not_trust_its_tokens(tmp_path: Path, authority: Authority) -> None:
    with issuing(tmp_path, authority) as issuer:
        server = Server(tmp_path, f"--oidc-issuer-url={issuer.url}", "--oidc-client-id=cluster")
        try:
            assert World(server, issuer, []).who(issuer.token()) is None
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
    assert "certificate signed by unknown authority" in errors
