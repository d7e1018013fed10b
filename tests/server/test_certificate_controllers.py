"""Certificates that are asked for, approved and signed, and that their owners then call the server with."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from api_server import Server, running
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
KUBELET = "kubernetes.io/kube-apiserver-client-kubelet"
_DEADLINE = 20.0


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("signing"), "--authorization-mode", "Node,RBAC") as started:
        yield started


def ask_for(server: Server, name: str, signer: str, subject: tuple[str, ...], **asked: Any) -> bytes:  # noqa: ANN401 - JSON
    """Make a request for a subject (groups, then the name); the key, as PEM."""
    *groups, common = subject
    of = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    of.append(x509.NameAttribute(NameOID.COMMON_NAME, common))
    key = ec.generate_private_key(ec.SECP256R1())
    inner = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(of)).sign(key, hashes.SHA256())
    pem = base64.b64encode(inner.public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": pem, "signerName": signer, "usages": ["digital signature", "client auth"], **asked}
    kind = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": name}}
    code, answer, _ = server.ask("POST", PATH, {**kind, "spec": spec})
    assert code == 201, answer
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def approve(server: Server, name: str) -> None:
    _, stored, _ = server.ask("GET", f"{PATH}/{name}")
    condition = {"type": "Approved", "status": "True", "reason": "ByHand", "message": "a test"}
    code, answer, _ = server.ask("PUT", f"{PATH}/{name}/approval", {**stored, "status": {"conditions": [condition]}})
    assert code == 200, answer


def awaited(server: Server, name: str, *, field: str) -> Any:  # noqa: ANN401 - JSON
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end:
        _, stored, _ = server.ask("GET", f"{PATH}/{name}")
        found = stored["status"].get(field)
        if found and (field == "certificate" or len(found) > 1):
            return found
        time.sleep(0.05)
    raise AssertionError(name)


def test_an_approved_request_becomes_a_certificate_that_names_its_owner(signing: Server, tmp_path: Path) -> None:
    key = ask_for(signing, "carol", "kubernetes.io/kube-apiserver-client", ("dev", "carol"), expirationSeconds=3600)
    approve(signing, "carol")
    certificate = base64.b64decode(awaited(signing, "carol", field="certificate"))
    pair = tmp_path / "carol.pem"
    pair.write_bytes(certificate + key)
    life = x509.load_pem_x509_certificate(certificate)
    assert 3600 <= (life.not_valid_after_utc - life.not_valid_before_utc).total_seconds() <= 3900
    context = ssl.create_default_context(cafile=str(signing.data / "ca.crt"))
    context.load_cert_chain(pair)
    where = urlsplit(signing.url)
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=_DEADLINE)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", json.dumps(review), headers)
    user = json.loads(connection.getresponse().read())["status"]["userInfo"]
    connection.close()
    assert (user["username"], user["groups"]) == ("carol", ["dev", "system:authenticated"])


def test_a_request_that_does_not_fit_its_signer_has_failed(signing: Server) -> None:
    ask_for(signing, "odd", KUBELET, ("dev", "carol"))
    approve(signing, "odd")
    failed = awaited(signing, "odd", field="conditions")[1]
    assert (failed["type"], failed["reason"]) == ("Failed", "SignerValidationFailure")
    assert failed["message"] == "subject organization is not system:nodes"


def test_a_kubelet_that_may_is_approved_and_signed(signing: Server) -> None:
    rbac = "rbac.authorization.k8s.io"
    role = {
        "apiGroup": rbac,
        "kind": "ClusterRole",
        "name": "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    }
    subjects = [{"apiGroup": rbac, "kind": "User", "name": "admin"}]
    binding = {"apiVersion": f"{rbac}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "boot"}}
    made = {**binding, "roleRef": role, "subjects": subjects}
    assert signing.ask("POST", f"/apis/{rbac}/v1/clusterrolebindings", made)[0] == 201
    ask_for(signing, "n1", KUBELET, ("system:nodes", "system:node:n1"))
    assert awaited(signing, "n1", field="certificate")
    _, stored, _ = signing.ask("GET", f"{PATH}/n1")
    assert stored["status"]["conditions"][0]["reason"] == "AutoApproved"


def test_nothing_is_signed_without_the_controllers(tmp_path: Path) -> None:
    with running(tmp_path, "--controllers", "*,-csrsigning") as server:
        ask_for(server, "carol", "kubernetes.io/kube-apiserver-client", ("dev", "carol"))
        approve(server, "carol")
        time.sleep(0.3)
        assert "certificate" not in server.ask("GET", f"{PATH}/carol")[1]["status"]
