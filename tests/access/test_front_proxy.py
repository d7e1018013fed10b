"""Headers of a proxy in front of the server name its callers; those of anybody else are nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from podward.access.authentication import Authenticated, Failed
from podward.access.front_proxy import FrontProxy, FrontProxyHeaders
from podward.api.caller import User

NOW = datetime(2026, 1, 10, tzinfo=UTC)
HEADERS = FrontProxyHeaders(("X-Remote-User",), ("X-Remote-Uid",), ("X-Remote-Group",), ("X-Remote-Extra-",))


def _certificate(name: str) -> x509.Certificate:
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    return builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW).sign(key, hashes.SHA256())


PROXY = _certificate("proxy")


class Verifier:
    """Knows the proxy's certificate by its one byte, and no other."""

    def verified(self, chain: Sequence[bytes], now: datetime) -> x509.Certificate | Failed | None:
        del now
        if not chain:
            return None
        return PROXY if chain[0] == b"p" else Failed(("x509: unknown",))


def test_the_headers_name_the_user() -> None:
    sent = {"x-remote-user": "jane", "X-Remote-Group": "dev", "X-Remote-Uid": "7", "X-Remote-Extra-a%2Fb": "c"}
    found = FrontProxy(Verifier(), HEADERS).authenticate([b"p"], sent, NOW)
    assert isinstance(found, Authenticated)
    assert found.user == User("jane", ("dev",), "7", {"a/b": ("c",)})


def test_a_client_that_is_no_proxy_is_not_believed() -> None:
    sent = {"X-Remote-User": "jane"}
    assert FrontProxy(Verifier(), HEADERS).authenticate([], sent, NOW) is None
    assert FrontProxy(Verifier(), HEADERS).authenticate([b"x"], sent, NOW) == Failed(("x509: unknown",))


@pytest.mark.parametrize(("allowed", "failed"), [(("proxy",), False), (("other", "proxy"), False), (("other",), True)])
def test_only_allowed_names_are_believed(allowed: tuple[str, ...], *, failed: bool) -> None:
    headers = FrontProxyHeaders(("X-Remote-User",), allowed_clients=allowed)
    found = FrontProxy(Verifier(), headers).authenticate([b"p"], {"X-Remote-User": "jane"}, NOW)
    refusal = Failed(("x509: subject with cn=proxy is not in the allowed list",))
    assert found == refusal if failed else isinstance(found, Authenticated)


@pytest.mark.parametrize("sent", [{}, {"X-Remote-User": ""}, {"X-Remote-Group": "system:masters"}])
def test_without_a_name_headers_say_nothing(sent: dict[str, str]) -> None:
    assert FrontProxy(Verifier(), HEADERS).authenticate([b"p"], sent, NOW) is None


def test_an_escape_that_is_none_stays_as_it_is() -> None:
    sent = {"X-Remote-User": "jane", "X-Remote-Extra-a%2": "c"}
    found = FrontProxy(Verifier(), HEADERS).authenticate([b"p"], sent, NOW)
    assert isinstance(found, Authenticated)
    assert found.user.extra == {"a%2": ("c",)}
