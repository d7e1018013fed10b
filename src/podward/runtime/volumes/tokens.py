"""Tokens of service accounts, and the certificate of the authority that goes with them, made on this machine.

What a token says, and how it is signed, is as an API server's: see access/service_accounts/claims and access/jwt. It is
bound to the Pod.

The key lives as long as this process, and in its memory alone: no cluster takes such a token, and the issuer says so.
"""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from podward.access.jwt import signed
from podward.access.service_accounts.claims import ObjectReference, TokenFacts, claims
from podward.api.content import TokenContent
from podward.api.core import Pod

ISSUER = "https://local.podward.invalid"
"""No host can have this name (RFC 6761)."""


def token(wanted: TokenContent, pod: Pod) -> str:
    """A token for the Pod, signed with ES256."""
    namespace, account = pod.metadata.namespace or "default", pod.spec.service_account_name or "default"
    account_id = _uuid(hashlib.sha256(f"{namespace}/{account}".encode()).digest())
    facts = TokenFacts(
        ISSUER,
        namespace,
        ObjectReference(account, account_id),
        (wanted.audience or ISSUER,),
        int(time.time()),
        wanted.expiration_seconds,
        _uuid(os.urandom(16)),
        (("pod", ObjectReference(pod.metadata.name or "", pod.metadata.uid or "")),),
    )
    return signed(claims(facts), _key())


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


def _uuid(data: bytes) -> str:
    digits = data[:16].hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
