"""Keys of service accounts' tokens from files: several in one, private, public or in a certificate."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from podward.access import jwt
from podward.errors import InputError
from podward.server.account_keys import signing_key, verifying_keys

EC, RSA = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
PEM = serialization.Encoding.PEM


def private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, *, old: bool) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL if old else serialization.PrivateFormat.PKCS8
    return key.private_bytes(PEM, form, serialization.NoEncryption())


def public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def certificate() -> bytes:
    name, now = x509.Name([]), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(EC.public_key())
    return (
        builder.serial_number(1).not_valid_before(now).not_valid_after(now).sign(EC, hashes.SHA256()).public_bytes(PEM)
    )


def written(directory: Path, content: bytes, mode: int = 0o600) -> str:
    file = directory / "key.pem"
    file.write_bytes(content)
    file.chmod(mode)
    return str(file)


def ids(path: str) -> list[str]:
    return [jwt.key_id(key) for key in verifying_keys(path)]


def test_a_file_may_hold_several_keys_of_any_form(tmp_path: Path) -> None:
    one, two = jwt.key_id(EC.public_key()), jwt.key_id(RSA.public_key())
    assert ids(written(tmp_path, public(EC) + public(RSA), 0o644)) == [one, two]
    assert ids(written(tmp_path, private(EC, old=True) + b"text\n" + private(RSA, old=False))) == [one, two]
    assert ids(written(tmp_path, certificate(), 0o644)) == [one]


@pytest.mark.parametrize("old", [True, False])
def test_tokens_are_signed_with_the_private_key(tmp_path: Path, *, old: bool) -> None:
    key = signing_key(written(tmp_path, private(RSA, old=old)))
    token = jwt.parsed(jwt.signed({"a": 1}, key))
    assert token is not None
    assert jwt.is_signed_by(token, RSA.public_key())


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, private(EC, old=False), 0o644)
    for read in (signing_key, verifying_keys):
        with pytest.raises(InputError, match="others may read it"):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        private(ed25519.Ed25519PrivateKey.generate(), old=False),
        private(ec.generate_private_key(ec.SECP256K1()), old=False),
    ],
)
def test_what_is_no_key_for_tokens_is_refused(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    for read in (signing_key, verifying_keys):
        with pytest.raises(InputError):
            read(path)
