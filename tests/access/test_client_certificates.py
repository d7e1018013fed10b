"""Client certificates name their bearers, as long as they lead to an authority and are valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podward.access.authentication import Authenticated, Failed
from podward.access.client_certificates import ClientCertificates

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")


class Issuer:
    """A key with its certificate, which issues others; without `above` it has issued its own."""

    def __init__(self, name: str, above: Issuer | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ca = x509.BasicConstraints(ca=True, path_length=None)
        issuer = above or self
        self.name = subject
        self.certificate = issuer.issue(subject, ca, self.key, NOW - DAY, NOW + DAY)

    def issue(
        self,
        subject: x509.Name,
        extension: x509.ExtensionType,
        key: ec.EllipticCurvePrivateKey,
        start: datetime,
        end: datetime,
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(7).not_valid_before(start).not_valid_after(end)
        return builder.add_extension(extension, critical=False).sign(self.key, hashes.SHA256())

    def client(
        self,
        *attributes: tuple[x509.ObjectIdentifier, str],
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.CLIENT_AUTH,
        end: datetime = NOW + DAY,
    ) -> bytes:
        subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])
        key = ec.generate_private_key(ec.SECP256R1())
        made = self.issue(subject, x509.ExtendedKeyUsage([usage]), key, NOW - DAY, end)
        return made.public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="module")
def authority() -> Issuer:
    return Issuer("ca")


CN, ORGANIZATION = NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME


def failure(authority: Issuer, *chain: bytes) -> str:
    outcome = ClientCertificates([authority.certificate], "ca.crt").authenticate(chain, NOW)
    assert isinstance(outcome, Failed)
    return outcome.message


def test_the_subject_names_user_groups_and_uid(authority: Issuer) -> None:
    der = authority.client((CN, "system:node:n1"), (ORGANIZATION, "system:nodes"), (ORGANIZATION, "more"), (UID, "u1"))
    found = ClientCertificates([authority.certificate], "ca.crt").authenticate([der], NOW)
    assert isinstance(found, Authenticated)
    assert (found.user.username, found.user.groups, found.user.uid) == (
        "system:node:n1",
        ("system:nodes", "more"),
        "u1",
    )
    (identity,) = found.user.extra["authentication.kubernetes.io/credential-id"]
    assert identity.startswith("X509SHA256=")


def test_one_without_a_common_name_and_none_at_all_name_nobody(authority: Issuer) -> None:
    certificates = ClientCertificates([authority.certificate], "ca.crt")
    assert certificates.authenticate([authority.client((ORGANIZATION, "dev"))], NOW) is None
    assert certificates.authenticate([], NOW) is None


def test_an_intermediate_that_is_sent_along_is_followed(authority: Issuer) -> None:
    between = Issuer("between", authority)
    der = between.client((CN, "alice"))
    sent = between.certificate.public_bytes(serialization.Encoding.DER)
    found = ClientCertificates([authority.certificate], "ca.crt").authenticate([der, sent], NOW)
    assert isinstance(found, Authenticated)
    assert failure(authority, der).endswith("x509: certificate signed by unknown authority")


def test_an_end_certificate_cannot_issue(authority: Issuer) -> None:
    false = Issuer("false", authority)
    leaf = false.issue(false.name, x509.BasicConstraints(ca=False, path_length=None), false.key, NOW - DAY, NOW + DAY)
    forged = false.client((CN, "admin"))
    assert "unknown authority" in failure(authority, forged, leaf.public_bytes(serialization.Encoding.DER))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"end": NOW - timedelta(hours=1)},
            "has expired or is not yet valid: current time 2026-01-10T00:00:00Z is after",
        ),
        ({"usage": ExtendedKeyUsageOID.SERVER_AUTH}, "specifies an incompatible key usage"),
    ],
)
def test_what_is_wrong_is_said_with_the_certificates_numbers(
    authority: Issuer, change: dict[str, datetime], reason: str
) -> None:
    said = failure(authority, authority.client((CN, "alice"), **change))  # type: ignore[arg-type] # a datetime, or a usage
    assert said.startswith("verifying certificate SN=7, SKID=")
    assert reason in said


def test_two_uids_an_empty_one_and_rubbish_are_refused(authority: Issuer) -> None:
    assert "expected 1 UID" in failure(authority, authority.client((CN, "a"), (UID, "1"), (UID, "2")))
    assert failure(authority, b"rubbish") == "x509: malformed certificate"
    assert "unknown authority" in failure(authority, Issuer("ca").client((CN, "a")))
