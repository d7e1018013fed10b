"""JSON Web Tokens, signed and verified.

Specification: RFC 7515, 7518 and 7519, compact serialization. Our own tokens are as Kubernetes' pkg/serviceaccount
makes them, RS256, ES256, ES384 or ES512: the algorithm follows from the key, never from the token, and a key's id is
the SHA-256 of its public part in DER. Others' tokens may be signed with any algorithm that has a public key and is
allowed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import Json, JsonObject

PrivateKey: TypeAlias = "ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey"
PublicKey: TypeAlias = "ec.EllipticCurvePublicKey | rsa.RSAPublicKey"
_CURVES: dict[str, tuple[str, hashes.HashAlgorithm, int]] = {
    "secp256r1": ("ES256", hashes.SHA256(), 32),
    "secp384r1": ("ES384", hashes.SHA384(), 48),
    "secp521r1": ("ES512", hashes.SHA512(), 66),
}
"""By curve: the algorithm, its digest, and the bytes of each half of a signature (RFC 7518)."""
_RSA: dict[str, tuple[bool, hashes.HashAlgorithm]] = {
    "RS256": (False, hashes.SHA256()),
    "RS384": (False, hashes.SHA384()),
    "RS512": (False, hashes.SHA512()),
    "PS256": (True, hashes.SHA256()),
    "PS384": (True, hashes.SHA384()),
    "PS512": (True, hashes.SHA512()),
}
"""By algorithm: whether it is PSS, and its digest."""
ALGORITHMS = tuple(sorted((*(name for name, _, _ in _CURVES.values()), *_RSA)))
"""All of them; none works with a secret that both sides know, and `none` is not among them."""
_PARTS, _LARGEST = 3, 64 * 1024


class Token(Struct, frozen=True):
    """A token that was taken apart, and whose signature nobody has looked at yet."""

    header: dict[str, object]
    claims: dict[str, object]
    signed: bytes
    signature: bytes

    @property
    def key_id(self) -> str:
        """Which key it says it was signed with."""
        found = self.header.get("kid")
        return found if isinstance(found, str) else ""

    @property
    def algorithm(self) -> str:
        """Which algorithm it says it was signed by."""
        found = self.header.get("alg")
        return found if isinstance(found, str) else ""


class VerifyingKey(Struct, frozen=True):
    """A public key and its id."""

    key: PublicKey
    id: str


def parsed(token: str) -> Token | None:
    """The token's parts, or None for what is no signed token."""
    parts = token.split(".")
    if len(parts) != _PARTS or len(token) > _LARGEST:
        return None
    try:
        header, claims = (msgspec.json.decode(_bytes(part), type=dict[str, object]) for part in parts[:2])
        return Token(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), _bytes(parts[2]))
    except (binascii.Error, msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def is_signed_by(token: Token, key: PublicKey) -> bool:
    """Whether the token was signed with the private part of this key, by the key's own algorithm."""
    return token.algorithm == algorithm_of(key) and fits(token, key)


def fits(token: Token, key: PublicKey) -> bool:
    """Whether the token was signed with the private part of this key, by the algorithm that it names.

    Whoever asks has seen that the algorithm is an allowed one.
    """
    if "crit" in token.header:  # it demands what nobody here knows
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            return _fits_rsa(token, key)
        name, digest, size = _CURVES.get(key.curve.name, ("", hashes.SHA256(), 0))
        if token.algorithm != name or len(token.signature) != 2 * size:
            return False
        halves = (int.from_bytes(half, "big") for half in (token.signature[:size], token.signature[size:]))
        key.verify(encode_dss_signature(*halves), token.signed, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _fits_rsa(token: Token, key: rsa.RSAPublicKey) -> bool:
    if token.algorithm not in _RSA:
        return False
    is_pss, digest = _RSA[token.algorithm]
    if is_pss:
        key.verify(token.signature, token.signed, padding.PSS(padding.MGF1(digest), padding.PSS.AUTO), digest)
    else:
        key.verify(token.signature, token.signed, padding.PKCS1v15(), digest)
    return True


def signed(claims: JsonObject, key: PrivateKey) -> str:
    """A token that says this, signed with the key."""
    public = key.public_key()
    header: JsonObject = {"alg": algorithm_of(public), "kid": key_id(public), "typ": "JWT"}
    text = f"{_encoded(header)}.{_encoded(claims)}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        _, digest, size = _CURVES[key.curve.name]
        halves = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(digest)))
        signature = b"".join(half.to_bytes(size, "big") for half in halves)
    return f"{text}.{_base64(signature)}"


def algorithm_of(key: PublicKey) -> str:
    """The name of the key's algorithm. Raises KeyError for a curve that tokens are not signed with."""
    return "RS256" if isinstance(key, rsa.RSAPublicKey) else _CURVES[key.curve.name][0]


def can_verify(key: PublicKey) -> bool:
    """Whether there is an algorithm for tokens with this key."""
    return isinstance(key, rsa.RSAPublicKey) or key.curve.name in _CURVES


def key_id(key: PublicKey) -> str:
    """By which a token names the key."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return _base64(hashlib.sha256(key.public_bytes(encoding, form)).digest())


def key_set(keys: Iterable[PublicKey]) -> JsonObject:
    """The keys as a JWKS document (RFC 7517)."""
    listed: list[Json] = [_json_web_key(key) for key in keys]
    return {"keys": listed}


def _json_web_key(key: PublicKey) -> JsonObject:
    name, of = algorithm_of(key), key_id(key)
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        n, e = _number(numbers.n), _number(numbers.e)
        return {"use": "sig", "kty": "RSA", "kid": of, "alg": name, "n": n, "e": e}
    point, size = key.public_numbers(), _CURVES[key.curve.name][2]
    curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[name]
    x, y = _number(point.x, size), _number(point.y, size)
    return {"use": "sig", "kty": "EC", "kid": of, "crv": curve, "alg": name, "x": x, "y": y}


def _number(value: int, size: int = 0) -> str:
    return _base64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _encoded(value: JsonObject) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if "=" in text:
        raise binascii.Error("padded")
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
