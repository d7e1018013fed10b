"""What a node makes of each end that a request for a certificate can have."""

from __future__ import annotations

import asyncio
import datetime as dt
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from podward.api.json_value import JsonObject
from podward.api.status import Status, service_unavailable
from podward.node.asked_certificate import Issued, Unsigned, Wanted, ask, subject

KEY, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
REQUEST = x509.CertificateSigningRequestBuilder().subject_name(subject("n1")).sign(KEY, hashes.SHA256())


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(subject("n1")).issuer_name(x509.Name([])).serial_number(1)
    builder = builder.public_key(key.public_key()).not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
    return builder.sign(OTHER, hashes.SHA256()).public_bytes(Encoding.PEM)


class Cluster:
    """It answers looks at a request with these statuses, and then the last for ever; None is a server that is away."""

    def __init__(self, *statuses: JsonObject | None, takes: bool = True) -> None:
        self._statuses = list(statuses)
        self._takes = takes
        self.asked: list[JsonObject] = []

    async def create(self, _resource: object, _namespace: str, obj: JsonObject) -> JsonObject | Status:
        self.asked.append(obj)
        return {"metadata": {"name": "node-csr-1"}} if self._takes else service_unavailable("not yet")

    async def get(self, _resource: object, _namespace: str, name: str) -> JsonObject | Status:
        assert name == "node-csr-1"
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return service_unavailable("away") if status is None else {"status": status}


def asked(cluster: Cluster, patience: float = 60.0) -> Issued | Unsigned:
    wanted = Wanted("node-csr-", "kubernetes.io/kubelet-serving", "server auth", patience)
    return asyncio.run(ask(cluster, wanted, REQUEST, KEY))  # type: ignore[arg-type]


def issued(content: bytes) -> JsonObject:
    return {"certificate": b64encode(content).decode()}


def test_it_is_waited_for_and_comes_with_those_of_its_authorities() -> None:
    chain = pem(KEY) + pem(OTHER)
    cluster = Cluster(None, {}, {"conditions": [{"type": "Approved"}]}, issued(chain))
    answer = asked(cluster)
    assert isinstance(answer, Issued)
    assert answer.pem == chain
    assert answer.certificate.public_key() == KEY.public_key()
    (spec,) = (each["spec"] for each in cluster.asked)
    assert isinstance(spec, dict)
    assert (spec["signerName"], spec["usages"]) == (
        "kubernetes.io/kubelet-serving",
        ["digital signature", "server auth"],
    )


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"conditions": [{"type": "Denied", "reason": "No", "message": "not you"}]}, "was denied: No: not you"),
        ({"conditions": [{"type": "Denied"}]}, "was denied"),
        (
            {"conditions": [{"type": "Approved"}, {"type": "Failed", "message": "odd"}]},
            "was refused by the signer: odd",
        ),
        (issued(pem(OTHER)), "has another's certificate"),
        (issued(b"-----BEGIN"), "has what is no certificate"),
        ({"certificate": "!"}, "has what is no certificate"),
    ],
)
def test_what_is_no_certificate_of_its_own_is_told(status: JsonObject, why: str) -> None:
    assert asked(Cluster(status)) == Unsigned(why, "node-csr-1")


def test_nobody_waits_for_ever() -> None:
    assert asked(Cluster({}), patience=0.2) == Unsigned("was not signed in time", "node-csr-1", is_late=True)


def test_a_request_that_is_not_taken_has_no_name() -> None:
    answer = asked(Cluster(takes=False))
    assert isinstance(answer, Unsigned)
    assert (answer.request, answer.is_late) == ("", False)
    assert "not yet" in answer.why
