"""Client certificates: who the bearer of one is.

Specification: Kubernetes, k8s.io/apiserver, pkg/authentication/request/x509. The name is the subject's common name, the
groups its organizations, the uid an attribute of the subject (1.3.6.1.4.1.57683.2). A certificate counts if it leads to
one of the authorities, all on the way are valid now, and it may be used by clients. One without a common name names
nobody. Whether it was revoked is not asked, as there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podward.access.authentication import CREDENTIAL_ID, Authenticated, Failed, Outcome
from podward.api.caller import User

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
_LONGEST_CHAIN = 8
_MALFORMED = Failed(("x509: malformed certificate",))


class ClientCertificates:
    """Authenticates by certificates that these authorities, or others in their name, have issued."""

    __slots__ = ("_authorities", "_name")

    def __init__(self, authorities: Sequence[x509.Certificate], name: str) -> None:
        self._authorities = tuple(authorities)
        self._name = name

    def authenticate(self, chain: Sequence[bytes], now: datetime) -> Outcome:
        """Who the bearer of the first certificate is; the others lead from it to an authority."""
        leaf = self.verified(chain, now)
        if leaf is None or isinstance(leaf, Failed):
            return leaf
        try:
            return self._user(leaf)
        except ValueError:
            return _MALFORMED

    def verified(self, chain: Sequence[bytes], now: datetime) -> x509.Certificate | Failed | None:
        """The first certificate, if it counts here; None where there is none."""
        if not chain:
            return None
        try:
            certificates = [x509.load_der_x509_certificate(each) for each in chain[:_LONGEST_CHAIN]]
            fault = self._fault(certificates, now)
            return Failed((_failure(certificates[0], fault),)) if fault else certificates[0]
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            return _MALFORMED

    def _fault(self, chain: list[x509.Certificate], now: datetime) -> str:
        leaf, *others = chain
        if not _may_be_a_client(leaf):
            return "x509: certificate specifies an incompatible key usage"
        current = leaf
        for _ in range(_LONGEST_CHAIN):
            if late := _out_of_time(current, now):
                return late
            issuer = next((authority for authority in self._authorities if _issued(current, authority)), None)
            if issuer is not None:
                return _out_of_time(issuer, now)
            following = next((other for other in others if _is_authority(other) and _issued(current, other)), None)
            if following is None:
                return "x509: certificate signed by unknown authority"
            others.remove(following)
            current = following
        return "x509: certificate signed by unknown authority"

    def _user(self, leaf: x509.Certificate) -> Outcome:
        name = common_name(leaf)
        if not name:
            return None
        uids = _values(leaf, _UID)
        if len(uids) > 1:
            return Failed((f"expected 1 UID, but found multiple: [{' '.join(uids)}]",))
        if uids == [""]:
            return Failed(("UID cannot be an empty string",))
        identity = f"X509SHA256={leaf.fingerprint(hashes.SHA256()).hex()}"
        groups = tuple(_values(leaf, NameOID.ORGANIZATION_NAME))
        user = User(name, groups, uids[0] if uids else "", {CREDENTIAL_ID: (identity,)})
        return Authenticated(user, f"client certificate, by {self._name}")


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, the last where it has several; empty where it has none."""
    names = _values(certificate, NameOID.COMMON_NAME)
    return names[-1] if names else ""


def _values(certificate: x509.Certificate, attribute: x509.ObjectIdentifier) -> list[str]:
    found = [each.value for each in certificate.subject.get_attributes_for_oid(attribute)]
    return [value if isinstance(value, str) else value.decode("utf-8", "replace") for value in found]


def _out_of_time(certificate: x509.Certificate, now: datetime) -> str:
    if now < certificate.not_valid_before_utc:
        moment = f"current time {_written(now)} is before {_written(certificate.not_valid_before_utc)}"
    elif now > certificate.not_valid_after_utc:
        moment = f"current time {_written(now)} is after {_written(certificate.not_valid_after_utc)}"
    else:
        return ""
    return f"x509: certificate has expired or is not yet valid: {moment}"


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may_be_a_client(certificate: x509.Certificate) -> bool:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _failure(certificate: x509.Certificate, fault: str) -> str:
    extensions = certificate.extensions
    own = b""
    issuer: bytes | None = b""
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            own = extension.value.digest
        elif isinstance(extension.value, x509.AuthorityKeyIdentifier):
            issuer = extension.value.key_identifier
    identity = f"SN={certificate.serial_number}, SKID={_hex(own)}, AKID={_hex(issuer or b'')}"
    return f"verifying certificate {identity} failed: {fault}"


def _hex(digest: bytes) -> str:
    return digest.hex(":").upper()


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
