"""The server's own certificate authority, and what it issues: the server's certificate, an admin's.

The authority is made once and kept, with its key (0600), in the data directory. Leaf certificates live for a year; they
are made anew at each start, and while the server runs when three quarters of their life are over.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from podward.access.certificates.signing import Issuer
from podward.errors import InputError
from podward.server import private_file

_YEAR = dt.timedelta(days=365)
_EARLIER = dt.timedelta(minutes=5)
_CURVE = ec.SECP256R1()


class KeyPair(Struct, frozen=True):
    """A certificate and its key, both PEM."""

    certificate: bytes
    key: bytes


NODES = "kubelet-ca"
"""The authority of nodes' serving certificates: who trusts the server does not trust it."""


class OwnAuthority:
    """An authority in a directory, in the files of this name; made where there is none."""

    def __init__(self, directory: str, lifetime: dt.timedelta = _YEAR, name: str = "ca") -> None:
        """Read it, or make it. What it issues lives so long. Raises InputError where what is there is no authority."""
        self._lifetime = lifetime
        self.certificate_file = os.path.join(directory, f"{name}.crt")
        key_file = os.path.join(directory, f"{name}.key")
        if not os.path.exists(key_file):
            made = _made_authority(f"podward-{name}")
            _write(self.certificate_file, made.certificate)
            _write(key_file, made.key)  # last: whoever finds it finds the certificate, too
        key_text = private_file.content_of(key_file, private_file.MADE_ANEW)
        with open(self.certificate_file, "rb") as file:
            self.pem = file.read()
        try:
            key = serialization.load_pem_private_key(key_text, None)
            self.certificate = x509.load_pem_x509_certificate(self.pem)
        except ValueError:
            raise InputError(
                "this is no certificate authority",
                where=directory,
                advice=f"remove {name}.key and {name}.crt: they are made anew",
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise InputError(
                "the authority's key is no EC key", where=key_file, advice=f"remove {name}.key and {name}.crt"
            )
        self._key = key

    @property
    def issuer(self) -> Issuer:
        """Who signs the certificates that are asked for."""
        return Issuer(self.certificate, self._key)

    def serving(self, names: Sequence[str], common: str = "kube-apiserver") -> KeyPair:
        """A certificate of a server that goes by these names and addresses."""
        return self._issued(common, (), ExtendedKeyUsageOID.SERVER_AUTH, names)

    def client(self, user: str, groups: Sequence[str]) -> KeyPair:
        """A certificate of a user."""
        return self._issued(user, groups, ExtendedKeyUsageOID.CLIENT_AUTH, ())

    def _issued(self, name: str, groups: Sequence[str], usage: x509.ObjectIdentifier, names: Sequence[str]) -> KeyPair:
        key = ec.generate_private_key(_CURVE)
        builder = (
            _builder(_name(name, groups), self.certificate.subject, key, self._lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_general(each) for each in names]), critical=False
            )
        return _pair(builder.sign(self._key, hashes.SHA256()), key)


def renewal_of(pair: KeyPair) -> dt.datetime:
    """When the certificate is to be made anew."""
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return end - (end - begin) / 4


def _made_authority(common: str) -> KeyPair:
    key = ec.generate_private_key(_CURVE)
    name = _name(common, ())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        _builder(name, name, key, _YEAR * 10)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, lifetime: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lifetime)
    )


def _name(common: str, groups: Sequence[str]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _write(path: str, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
