"""What is signed, what fails for good, and what a certificate says."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import Any

import pytest
from certificate_asked import APPROVED, request
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podward.access.certificates.signing import Issuer, Refused, Signing, lifetime, signed
from podward.api.json_value import JsonObject

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DNS, IP = x509.DNSName("n1"), x509.IPAddress(ipaddress.ip_address("10.0.0.7"))
SIGN, ENCIPHER, SERVER, CLIENT = "digital signature", "key encipherment", "server auth", "client auth"
NODE: dict[str, Any] = {"name": "system:node:n1", "groups": ("system:nodes",)}


def issuer(days: int = 3650) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=days))
    return Issuer(builder.sign(key, hashes.SHA256()), key)


def issued(obj: JsonObject, days: int = 3650) -> x509.Certificate:
    found = signed(obj, Signing(issuer(days), NOW, 7))
    assert isinstance(found, bytes), found
    return x509.load_pem_x509_certificate(found)


@pytest.mark.parametrize(
    ("obj", "why"),
    [
        (request("kube-apiserver-client", CLIENT), ""),
        (request("kube-apiserver-client", SIGN), "missing required usage for client certificate: client auth"),
        (request("kube-apiserver-client", CLIENT, SERVER), "invalid usage for client certificate: server auth"),
        (request("kube-apiserver-client-kubelet", SIGN, CLIENT, **NODE), ""),
        (request("kube-apiserver-client-kubelet", SIGN, ENCIPHER, CLIENT, **NODE), ""),
        (
            request("kube-apiserver-client-kubelet", SIGN, CLIENT, name="system:node:n1"),
            "subject organization is not system:nodes",
        ),
        (
            request("kube-apiserver-client-kubelet", SIGN, CLIENT, names=(DNS,), **NODE),
            "DNS subjectAltNames are not allowed",
        ),
        (
            request("kube-apiserver-client-kubelet", SIGN, CLIENT, names=(IP,), **NODE),
            "IP subjectAltNames are not allowed",
        ),
        (
            request("kube-apiserver-client-kubelet", CLIENT, groups=("system:nodes",)),
            "subject common name does not begin with system:node:",
        ),
        (
            request("kube-apiserver-client-kubelet", CLIENT, **NODE),
            "usages did not match [client auth digital signature key encipherment]",
        ),
        (request("kubelet-serving", SIGN, SERVER, names=(DNS, IP), **NODE), ""),
        (request("kubelet-serving", SIGN, SERVER, **NODE), "DNS or IP subjectAltName is required"),
        (
            request("kubelet-serving", SIGN, SERVER, names=(DNS, x509.RFC822Name("a@b.c")), **NODE),
            "Email subjectAltNames are not allowed",
        ),
        (
            request("kubelet-serving", SERVER, CLIENT, names=(DNS,), **NODE),
            "usages did not match [digital signature key encipherment server auth]",
        ),
        (request("legacy-unknown", "code signing"), ""),
    ],
)
def test_a_request_fits_its_signer_or_has_failed(obj: JsonObject, why: str) -> None:
    found = signed(obj, Signing(issuer(), NOW, 7))
    assert found == Refused(why) if why else isinstance(found, bytes)


@pytest.mark.parametrize(
    "obj",
    [
        request("kube-apiserver-client", CLIENT, conditions=()),
        request("kube-apiserver-client", CLIENT, conditions=(APPROVED, {"type": "Denied", "status": "True"})),
        request("kube-apiserver-client", CLIENT, conditions=(APPROVED, {"type": "Failed", "status": "True"})),
        request("of-somebody-else", CLIENT),
        request("legacy-unknown", "flying"),
        {
            **request("legacy-unknown", CLIENT),
            "spec": {"signerName": "kubernetes.io/legacy-unknown", "request": "bm8="},
        },
    ],
)
def test_what_is_not_to_be_signed_is_left_alone(obj: JsonObject) -> None:
    assert signed(obj, Signing(issuer(), NOW, 7)) is None


def test_nobody_signs_twice() -> None:
    obj = request("kube-apiserver-client", CLIENT)
    assert (
        signed({**obj, "status": {"conditions": [APPROVED], "certificate": "eA=="}}, Signing(issuer(), NOW, 7)) is None
    )


def test_a_certificate_says_what_was_asked_for_and_nothing_else() -> None:
    found = issued(request("kubelet-serving", SIGN, SERVER, names=(DNS, IP), **NODE))
    extensions = found.extensions
    assert found.subject.rfc4514_string() == "CN=system:node:n1,O=system:nodes"
    assert list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == [DNS, IP]
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert found.serial_number == 7


@pytest.mark.parametrize(
    ("seconds", "life"),
    [
        (None, dt.timedelta(days=365)),
        (600, dt.timedelta(minutes=10)),
        (1, dt.timedelta(minutes=10)),
        (86400, dt.timedelta(days=1)),
        (10**9, dt.timedelta(days=365)),
    ],
)
def test_how_long_it_lives(seconds: int | None, life: dt.timedelta) -> None:
    assert lifetime(seconds) == life


def test_short_ones_end_when_they_were_to_end_and_none_outlives_the_authority() -> None:
    short = issued(request("kube-apiserver-client", CLIENT, expirationSeconds=3600))
    assert short.not_valid_before_utc == NOW - dt.timedelta(minutes=5)
    assert short.not_valid_after_utc == NOW + dt.timedelta(hours=1)
    long = issued(request("kube-apiserver-client", CLIENT, expirationSeconds=86400))
    assert long.not_valid_after_utc == NOW + dt.timedelta(days=1, minutes=-5)
    last = issued(request("kube-apiserver-client", CLIENT), days=2)
    assert last.not_valid_after_utc == NOW + dt.timedelta(days=2)


def test_an_authority_that_has_ended_signs_nothing() -> None:
    later = Signing(issuer(days=1), NOW + dt.timedelta(days=2), 7)
    assert signed(request("kube-apiserver-client", CLIENT), later) is None
