"""Who may write which certificate request, and who may approve and sign it."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from podward.access.certificate_requests import NODE, SUBJECT, RequestWrite, refusal
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.decision import Origin, Source

ALICE, KUBELET = User("alice"), User("system:node:n1", ("system:nodes",))
CLIENT, SERVING = "kubernetes.io/kube-apiserver-client", "kubernetes.io/kubelet-serving"
ALLOWED = Answer(Opinion.ALLOW, Source(Origin.POLICY, "x"))


def request(signer: str, name: str = "alice", *groups: str) -> JsonObject:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    subject += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    pem = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)
    return {"spec": {"request": base64.b64encode(pem).decode(), "signerName": signer}}


def why(write: RequestWrite, *allowed: str, disabled: frozenset[str] = frozenset()) -> str:
    """The reason of the refusal, where these signers alone are allowed; empty where there is none."""
    asking = refusal(write, disabled)
    try:
        asked = next(asking)
        while True:
            asked = asking.send(ALLOWED if f"{asked.verb} {asked.name}" in allowed else NO_OPINION)
    except StopIteration as end:
        return "" if end.value is None else str(end.value.message).partition(" is forbidden: ")[2]


def created(user: User, new: JsonObject) -> RequestWrite:
    return RequestWrite(user, "one", "", new)


@pytest.mark.parametrize(
    ("user", "new", "reason"),
    [
        (ALICE, request(CLIENT), ""),
        (ALICE, request("example.com/own", "x", "system:masters"), ""),
        (
            ALICE,
            request(CLIENT, "x", "a", "system:masters"),
            f"use of {CLIENT} signer with system:masters group is not allowed",
        ),
        (ALICE, request(SERVING, "system:node:n2"), ""),
        (KUBELET, request(SERVING, "system:node:n1"), ""),
        (KUBELET, request(SERVING, "system:node:n2"), "can only create a node CSR with CN=system:node:n1"),
        (
            KUBELET,
            {"spec": {"signerName": SERVING, "request": "bm8="}},
            "unable to parse csr: PEM block type must be CERTIFICATE REQUEST",
        ),
    ],
)
def test_a_new_request(user: User, new: JsonObject, reason: str) -> None:
    assert why(created(user, new)) == reason
    assert why(created(user, new), disabled=frozenset((NODE, SUBJECT))) == ""


@pytest.mark.parametrize(("part", "verb"), [("approval", "approve"), ("status", "sign")])
@pytest.mark.parametrize("allowed", [CLIENT, "kubernetes.io/*"])
def test_whoever_decides_must_be_allowed_to_for_the_signer(part: str, verb: str, allowed: str) -> None:
    old = request(CLIENT)
    write = RequestWrite(ALICE, "one", part, {**old, "status": {"certificate": "x"}}, old)
    assert why(write, f"{verb} {allowed}") == ""
    assert why(write) == f'user not permitted to {verb} requests with signerName "{CLIENT}"'


def test_a_status_that_says_nothing_new_may_be_written() -> None:
    old = request(CLIENT)
    assert why(RequestWrite(ALICE, "one", "status", {**old}, old)) == ""
