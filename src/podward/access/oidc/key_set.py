"""The keys of an issuer, from its JWKS document, and the metadata that tell where that is.

Specification: RFC 7517 and 7518; OpenID Connect Discovery 1.0; go-oidc. Keys of kinds that no allowed algorithm uses
are passed over: issuers have them for others.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from podward.access.jwt import PublicKey, VerifyingKey
from podward.api.gotext import quote

_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_LEAST_BITS, _MOST_BITS, _MOST_KEYS = 1024, 16384, 200


class _Key(Struct, frozen=True):
    kty: str = ""
    kid: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""


class _KeySet(Struct, frozen=True):
    keys: list[msgspec.Raw] = []


class _Metadata(Struct, frozen=True):
    issuer: str = ""
    jwks_uri: str = ""


def keys_of(document: bytes) -> tuple[VerifyingKey, ...] | str:
    """The keys, with the ids that tokens name them by, or why the document is none of keys."""
    try:
        written = msgspec.json.decode(document, type=_KeySet).keys
    except (msgspec.DecodeError, RecursionError) as error:
        return f"oidc: failed to decode keys: {error}"
    found = (_key(each) for each in written[:_MOST_KEYS])
    return tuple(key for key in found if key is not None)


def key_set_url(document: bytes, issuer: str) -> tuple[str] | str:
    """Where the issuer's keys are, in a tuple, or why its metadata are not to be used."""
    try:
        found = msgspec.json.decode(document, type=_Metadata)
    except (msgspec.DecodeError, RecursionError) as error:
        return f"oidc: failed to decode provider discovery object: {error}"
    if found.issuer != issuer:
        sentence = "oidc: issuer did not match the issuer returned by provider"
        return f"{sentence}, expected {quote(issuer)} got {quote(found.issuer)}"
    if not found.jwks_uri:
        return "provider did not return JWKS URL"
    if not found.jwks_uri.startswith("https://"):
        return f"the issuer's keys are at no https URL: {quote(found.jwks_uri)}"
    return (found.jwks_uri,)


def _key(written: msgspec.Raw) -> VerifyingKey | None:
    try:
        of = msgspec.json.decode(written, type=_Key)
        key = _public(of)
    except (msgspec.DecodeError, binascii.Error, ValueError, UnsupportedAlgorithm, RecursionError):
        return None
    return None if key is None else VerifyingKey(key, of.kid)


def _public(of: _Key) -> PublicKey | None:
    if of.kty == "RSA":
        n, e = _number(of.n), _number(of.e)
        if not _LEAST_BITS <= n.bit_length() <= _MOST_BITS:
            return None
        return rsa.RSAPublicNumbers(e, n).public_key()
    if of.kty == "EC" and of.crv in _CURVES:
        return ec.EllipticCurvePublicNumbers(_number(of.x), _number(of.y), _CURVES[of.crv]).public_key()
    return None


def _number(text: str) -> int:
    data = text.rstrip("=").encode("ascii")
    return int.from_bytes(base64.b64decode(data + b"=" * (-len(data) % 4), b"-_", validate=True))
