"""Tokens of service accounts, and the certificate of the authority that goes with them, made on this machine.

Specification (Kubernetes, pkg/serviceaccount claims.go and jwt.go, in our words): a token is a JWT of the Pod's service
account, bound to the Pod. `sub` is system:serviceaccount:NAMESPACE:NAME; `aud` the audience that is asked for, or the
issuer's own; it holds from now on for as many seconds as asked for; `kubernetes.io` names the namespace, the Pod and
the account.

The key lives as long as this process, and in its memory alone: no cluster takes such a token, and the issuer says so.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from podward.api.content import TokenContent
from podward.api.core import Pod

ISSUER = "https://local.podward.invalid"
"""No host can have this name (RFC 6761)."""
_BYTES = 32
"""Of each half of an ES256 signature (RFC 7518)."""


def token(wanted: TokenContent, pod: Pod) -> str:
    """A token for the Pod, signed with ES256."""
    namespace, account = pod.metadata.namespace or "default", pod.spec.service_account_name or "default"
    account_id = _uuid(hashlib.sha256(f"{namespace}/{account}".encode()).digest())
    now = int(time.time())
    claims = {
        "aud": [wanted.audience or ISSUER],
        "exp": now + wanted.expiration_seconds,
        "iat": now,
        "iss": ISSUER,
        "jti": _uuid(os.urandom(16)),
        "kubernetes.io": {
            "namespace": namespace,
            "pod": {"name": pod.metadata.name or "", "uid": pod.metadata.uid or ""},
            "serviceaccount": {"name": account, "uid": account_id},
        },
        "nbf": now,
        "sub": f"system:serviceaccount:{namespace}:{account}",
    }
    signed = f"{_encoded({'alg': 'ES256', 'kid': _key_id(), 'typ': 'JWT'})}.{_encoded(claims)}"
    halves = decode_dss_signature(_key().sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_base64(b''.join(half.to_bytes(_BYTES, 'big') for half in halves))}"


@lru_cache(1)
def certificate() -> bytes:
    """The authority's own certificate, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "podward: a local authority")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(_key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


@lru_cache(1)
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@lru_cache(1)
def _key_id() -> str:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return _base64(hashlib.sha256(_key().public_key().public_bytes(encoding, form)).digest())


def _encoded(value: object) -> str:
    return _base64(msgspec.json.encode(value))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _uuid(data: bytes) -> str:
    digits = data[:16].hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
