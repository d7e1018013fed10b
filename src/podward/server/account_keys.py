"""Keys of service accounts' tokens: the server's own, made at the first start, and those that flags name.

Specification: client-go, util/keyutil: a file may hold several PEM blocks, each a private key, a public key or a
certificate, RSA or EC. A private key is for its owner alone (0600).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from podward.access import jwt
from podward.errors import InputError
from podward.server import private_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_ADVICE = "give a file with PEM: RSA, or EC on P-256, P-384 or P-521"


def kept_key(directory: str) -> ec.EllipticCurvePrivateKey:
    """The key in this directory, made where there is none. Raises InputError for what is no such key."""
    path = os.path.join(directory, "service-account.key")
    if not os.path.exists(path):
        made = ec.generate_private_key(ec.SECP256R1())
        text = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
    content = private_file.content_of(path, private_file.MADE_ANEW)
    try:
        key = serialization.load_pem_private_key(content, None)
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise InputError(
            "this is no EC private key", where=path, advice="remove it: it is made anew, and old tokens end"
        )
    return key


def signing_key(path: str) -> jwt.PrivateKey:
    """The private key in the file, the first where there are several. Raises InputError."""
    for name, block in _blocks(private_file.content_of(path)):
        if name.endswith(b"PRIVATE KEY"):
            return _private(block, path)
    raise InputError("there is no private key in it", where=path, advice=_ADVICE)


def verifying_keys(path: str) -> tuple[jwt.PublicKey, ...]:
    """The public keys in the file, those of private ones too. Raises InputError."""
    content = private_file.public_content_of(path)
    if b"PRIVATE KEY-----" in content:
        content = private_file.content_of(path)
    found = tuple(_public(name, block, path) for name, block in _blocks(content) if name != b"EC PARAMETERS")
    if not found:
        raise InputError("there is no key in it", where=path, advice=_ADVICE)
    return found


def _blocks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    for found in _BLOCK.finditer(content):
        yield found[1], found[0]


def _private(block: bytes, path: str) -> jwt.PrivateKey:
    try:
        key = serialization.load_pem_private_key(block, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError("a private key in it cannot be read", where=path, advice=_ADVICE) from None
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) and jwt.can_verify(key.public_key()):
        return key
    raise InputError("a private key in it is of a kind that tokens are not signed with", where=path, advice=_ADVICE)


def _public(name: bytes, block: bytes, path: str) -> jwt.PublicKey:
    if name.endswith(b"PRIVATE KEY"):
        return _private(block, path).public_key()
    try:
        if name == b"CERTIFICATE":
            key: object = x509.load_pem_x509_certificate(block).public_key()
        else:
            key = serialization.load_pem_public_key(block)
    except (ValueError, UnsupportedAlgorithm):
        raise InputError("a key in it cannot be read", where=path, advice=_ADVICE) from None
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) and jwt.can_verify(key):
        return key
    raise InputError("a key in it is of a kind that tokens are not signed with", where=path, advice=_ADVICE)
