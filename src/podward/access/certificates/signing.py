"""Signing what was approved: which requests a signer takes, and what its certificates say.

Specification: Kubernetes, pkg/controller/certificates/signer and authority (PermissiveSigningPolicy). A certificate has
the request's subject and alternative names, its usages, and nothing else of it; it begins five minutes ago, and lives
as long as was asked for: ten minutes at least, as long as the signer gives at most, never longer than the authority. A
request that does not fit its signer has failed, for good.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from podward.access.certificates.requested import (
    CLIENT,
    KUBELET_CLIENT,
    KUBELET_SERVING,
    LEGACY,
    client_fault,
    has_failed,
    is_approved,
    kubelet_client_fault,
    kubelet_serving_fault,
    requested,
)
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from podward.access.certificates.requested import Requested
    from podward.api.json_value import JsonObject

LONGEST = dt.timedelta(days=365)
_SHORTEST, _SHORT, _EARLIER = dt.timedelta(minutes=10), dt.timedelta(hours=8), dt.timedelta(minutes=5)
_FAULTS: dict[str, Callable[[Requested], str]] = {
    CLIENT: client_fault,
    KUBELET_CLIENT: kubelet_client_fault,
    KUBELET_SERVING: kubelet_serving_fault,
    LEGACY: lambda _asked: "",
}
"""The signers, each with what is wrong with a request for it."""
_KEY_USAGES = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "ipsec end system": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.5"),
    "ipsec tunnel": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.6"),
    "ipsec user": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.7"),
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "microsoft sgc": x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"),
    "netscape sgc": x509.ObjectIdentifier("2.16.840.1.113730.4.1"),
}
_COPIED = (x509.DNSName, x509.RFC822Name, x509.IPAddress, x509.UniformResourceIdentifier)


class Issuer(Struct, frozen=True):
    """The authority that certificates are signed by."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


class Issuers(Struct, frozen=True):
    """Who signs: what nodes show another authority than the rest, so that whom they name nobody else believes."""

    usual: Issuer
    of_nodes: Issuer

    def of(self, signer: str) -> Issuer:
        """Who signs for this signer."""
        return self.of_nodes if signer == KUBELET_SERVING else self.usual


class Refused(Struct, frozen=True):
    """Why the request has failed for good."""

    why: str


class Signing(Struct, frozen=True):
    """The facts of signing: by whom, when, and under which number."""

    issuer: Issuer
    now: dt.datetime
    serial: int


def signed(obj: JsonObject, signing: Signing) -> bytes | Refused | None:
    """The certificate (PEM), or the failure; None where there is nothing to do, or nothing that can be done."""
    spec = member(obj, "spec")
    fault_of = _FAULTS.get(text(spec, "signerName"))
    decided = not is_approved(obj) or has_failed(obj) or bool(text(member(obj, "status"), "certificate"))
    asked = None if fault_of is None or decided else requested(obj)
    if asked is None or fault_of is None:
        return None
    if fault := fault_of(asked):
        return Refused(fault)
    seconds = spec.get("expirationSeconds")
    return _certificate(asked, lifetime(seconds if isinstance(seconds, int) else None), signing)


def lifetime(seconds: int | None) -> dt.timedelta:
    """How long a certificate lives for which so many seconds are asked."""
    if seconds is None:
        return LONGEST
    return max(min(dt.timedelta(seconds=seconds), LONGEST), _SHORTEST)


def _certificate(asked: Requested, life: dt.timedelta, signing: Signing) -> bytes | None:
    now, issuer, end = signing.now, signing.issuer, signing.issuer.certificate.not_valid_after_utc
    last = min(now + life if life < _SHORT else now + life - _EARLIER, end)
    try:
        genuine = asked.inner.is_signature_valid
        key = asked.inner.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not genuine or now >= end or any(each not in _KEY_USAGES and each not in _EXTENDED for each in asked.usages):
        return None
    builder = (
        x509.CertificateBuilder()
        .subject_name(asked.inner.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(key)
        .serial_number(signing.serial)
        .not_valid_before(now - _EARLIER)
        .not_valid_after(last)
    )
    for extension, critical in _extensions(asked, issuer):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def _extensions(asked: Requested, issuer: Issuer) -> list[tuple[x509.ExtensionType, bool]]:
    """What the certificate says beside its subject, each with whether it is critical."""
    plain = {_KEY_USAGES[usage] for usage in asked.usages if usage in _KEY_USAGES}
    extended = sorted(
        {_EXTENDED[usage] for usage in asked.usages if usage in _EXTENDED}, key=lambda each: each.dotted_string
    )
    names = [name for name in asked.names if isinstance(name, _COPIED)]
    found: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), True)]
    if plain:
        found.append((_key_usage(plain), True))
    if extended:
        found.append((x509.ExtendedKeyUsage(extended), False))
    if names:
        found.append((x509.SubjectAlternativeName(names), not list(asked.inner.subject)))
    found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False))
    return found


def _key_usage(plain: set[str]) -> x509.KeyUsage:
    """The bits; those two that only mean something with another one are left out without it."""
    words = {name: name in plain for name in _KEY_USAGES.values()}
    if not words["key_agreement"]:
        words["encipher_only"] = words["decipher_only"] = False
    return x509.KeyUsage(**words)
