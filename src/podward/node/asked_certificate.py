"""A certificate that the node asks the cluster for, and waits for until somebody has approved and signed it.

Specification (client-go, util/certificate/csr, in our words): a CertificateSigningRequest with a name of the server's
making; it is looked at until it has a certificate, or a condition Denied or Failed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec import Struct

from podward.api.caller import NODE_PREFIX, NODES
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

_REQUESTS = BY_PLURAL["certificates.k8s.io", "v1", "certificatesigningrequests"]
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 1.0


class Wanted(Struct, frozen=True):
    """What is asked for: the name is `prefix` and what the server adds; it is waited for so many seconds."""

    prefix: str
    signer: str
    usage: str
    patience: float


class Issued(Struct, frozen=True):
    """What was issued: `pem` has the certificates of authorities, too, that came with it."""

    certificate: x509.Certificate
    pem: bytes


class Unsigned(Struct, frozen=True):
    """Why there is none, in words that follow the name of the request; empty where none could be made."""

    why: str
    request: str = ""
    is_late: bool = False


def subject(name: str) -> x509.Name:
    """Who the node of this name is."""
    group = x509.NameAttribute(NameOID.ORGANIZATION_NAME, NODES)
    return x509.Name([group, x509.NameAttribute(NameOID.COMMON_NAME, f"{NODE_PREFIX}{name}")])


async def ask(
    client: Client, wanted: Wanted, request: x509.CertificateSigningRequest, key: ec.EllipticCurvePrivateKey
) -> Issued | Unsigned:
    """Ask for it, and wait. It is the key's own: what else is issued is refused."""
    made = await client.create(_REQUESTS, "", _document(wanted, request))
    if isinstance(made, Status):
        return Unsigned(made.message)
    name, pause = text(member(made, "metadata"), "name"), _FIRST_LOOK
    try:
        async with asyncio.timeout(wanted.patience):
            while True:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_LOOK)
                found = await client.get(_REQUESTS, "", name)
                status = {} if isinstance(found, Status) else member(found, "status")
                answer = _answered(name, status, key)
                if answer is not None:
                    return answer
    except TimeoutError:
        return Unsigned("was not signed in time", name, is_late=True)


def _document(wanted: Wanted, request: x509.CertificateSigningRequest) -> JsonObject:
    return {
        "apiVersion": _REQUESTS.api_version,
        "kind": _REQUESTS.kind,
        "metadata": {"generateName": wanted.prefix},
        "spec": {
            "request": base64.b64encode(request.public_bytes(Encoding.PEM)).decode(),
            "signerName": wanted.signer,
            "usages": ["digital signature", wanted.usage],
        },
    }


def _answered(name: str, status: JsonObject, key: ec.EllipticCurvePrivateKey) -> Issued | Unsigned | None:
    """None while it is not decided."""
    for condition in objects(status, "conditions"):
        kind = text(condition, "type")
        if kind in {"Denied", "Failed"}:
            verdict = "was denied" if kind == "Denied" else "was refused by the signer"
            said = (verdict, text(condition, "reason"), text(condition, "message"))
            return Unsigned(": ".join(filter(None, said)), name)
    issued = text(status, "certificate")
    if not issued:
        return None
    try:
        pem = base64.b64decode(issued, validate=True)
        certificate = x509.load_pem_x509_certificate(pem)
    except (binascii.Error, ValueError):
        return Unsigned("has what is no certificate", name)
    if certificate.public_key() != key.public_key():
        return Unsigned("has another's certificate", name)
    return Issued(certificate, pem)
