"""Certificate requests over HTTPS: whose they are, and who decides about them."""

from __future__ import annotations

import base64

import pytest
from api_server import Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

CERTIFICATES = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SIGNER = "kubernetes.io/kube-apiserver-client"
ALICE = "alice-token"


def _request(name: str, *groups: str) -> dict[str, object]:
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, "alice")]
    subject += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    pem = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)
    spec = {"request": base64.b64encode(pem).decode(), "signerName": SIGNER, "usages": ["client auth"]}
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    return {**kind, "metadata": {"name": name}, "spec": {**spec, "username": "admin", "groups": ["system:masters"]}}


def _grant(server: Server, name: str, *rules: dict[str, list[str]]) -> None:
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    server.ask(
        "POST", f"{RBAC}/clusterroles", {**kind, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    )
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "alice"}]
    binding = {**kind, "kind": "ClusterRoleBinding", "metadata": {"name": name}, "roleRef": role, "subjects": subjects}
    assert server.ask("POST", f"{RBAC}/clusterrolebindings", binding)[0] == 201


def _rule(verbs: list[str], resource: str) -> dict[str, list[str]]:
    return {"apiGroups": ["certificates.k8s.io"], "resources": [resource], "verbs": verbs}


@pytest.fixture(scope="module", autouse=True)
def granted(server: Server) -> None:
    everything = ["create", "get", "update", "patch"]
    parts = ("certificatesigningrequests", "certificatesigningrequests/approval", "certificatesigningrequests/status")
    _grant(server, "requests", *(_rule(everything, part) for part in parts))


def test_a_request_is_of_who_wrote_it(server: Server) -> None:
    code, made, _ = server.ask("POST", CERTIFICATES, _request("own"), token=ALICE)
    assert code == 201
    assert made["spec"]["username"] == "alice"
    assert made["spec"]["groups"] == ["dev", "system:authenticated"]


def test_nobody_asks_for_a_certificate_of_the_masters(server: Server) -> None:
    code, refused, _ = server.ask("POST", CERTIFICATES, _request("masters", "system:masters"), token=ALICE)
    why = f"use of {SIGNER} signer with system:masters group is not allowed"
    assert (code, refused["message"].partition("forbidden: ")[2]) == (403, why)


def test_only_who_may_approve_for_the_signer_approves(server: Server) -> None:
    _, made, _ = server.ask("POST", CERTIFICATES, _request("approved"), token=ALICE)
    approved = {**made, "status": {"conditions": [{"type": "Approved", "status": "True", "reason": "x"}]}}
    code, refused, _ = server.ask("PUT", f"{CERTIFICATES}/approved/approval", approved, token=ALICE)
    assert code == 403
    assert refused["message"].endswith(f'user not permitted to approve requests with signerName "{SIGNER}"')
    _grant(server, "approver", {**_rule(["approve"], "signers"), "resourceNames": ["kubernetes.io/*"]})
    assert server.ask("PUT", f"{CERTIFICATES}/approved/approval", approved, token=ALICE)[0] == 200


def test_only_who_may_sign_for_the_signer_signs(server: Server) -> None:
    _, made, _ = server.ask("POST", CERTIFICATES, _request("signed"), token=ALICE)
    failed = {**made, "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "x"}]}}
    code, refused, _ = server.ask("PUT", f"{CERTIFICATES}/signed/status", failed, token=ALICE)
    assert (code, "not permitted to sign" in refused["message"]) == (403, True)
