"""Certificate requests for tests."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from podward.api.json_value import Json, JsonObject

APPROVED: JsonObject = {"type": "Approved", "status": "True"}


def request(
    signer: str,
    *usages: str,
    name: str = "alice",
    groups: Sequence[str] = (),
    names: Sequence[x509.GeneralName] = (),
    conditions: Sequence[JsonObject] = (APPROVED,),
    **spec: Json,
) -> JsonObject:
    """A CertificateSigningRequest."""
    subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    inner: JsonObject = {"request": base64.b64encode(pem).decode(), "signerName": f"kubernetes.io/{signer}"}
    of: JsonObject = {"name": "one", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return {"metadata": of, "spec": {**inner, "usages": [*usages], **spec}, "status": {"conditions": [*conditions]}}
