"""Nobody makes himself more than he is: by roles, bindings, aggregation, impersonation, tokens, certificates, nodes."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from api_server import Server
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

RBAC = "/apis/rbac.authorization.k8s.io/v1"
IN_DEFAULT = f"{RBAC}/namespaces/default"
ALICE = "alice-token"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
SECRETS = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
ME = [{"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}]


def role_ref(kind: str, name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


@pytest.fixture(scope="module", autouse=True)
def alice_writes_rbac(server: Server) -> None:
    """Alice writes all of RBAC and everything of accounts, Pods and certificates; she may neither escalate nor bind."""
    verbs = ["get", "list", "create", "update", "patch", "delete", "deletecollection"]
    rules = [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": verbs},
        {"apiGroups": ["certificates.k8s.io"], "resources": ["*"], "verbs": verbs},
        {"apiGroups": [""], "resources": ["pods", "serviceaccounts", "nodes"], "verbs": verbs},
    ]
    assert server.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "writer"}, "rules": rules})[0] == 201
    binding = {"metadata": {"name": "writer"}, "roleRef": role_ref("ClusterRole", "writer"), "subjects": ME}
    assert server.ask("POST", f"{RBAC}/clusterrolebindings", binding)[0] == 201
    assert server.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "small"}, "rules": []})[0] == 201
    assert server.ask("POST", f"{IN_DEFAULT}/roles", {"metadata": {"name": "small"}, "rules": []})[0] == 201


def refused(server: Server, method: str, path: str, body: object, media: str = "") -> None:
    sent = {"Content_Type": media} if media else {}
    code, told, _ = server.ask(method, path, body, token=ALICE, **sent)
    assert (code, told["reason"]) == (403, "Forbidden"), told


ATTEMPTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "big"}, "rules": EVERYTHING}, ""),
    ("POST", f"{IN_DEFAULT}/roles", {"metadata": {"name": "big"}, "rules": SECRETS}, ""),
    ("PUT", f"{RBAC}/clusterroles/small", {"metadata": {"name": "small"}, "rules": EVERYTHING}, ""),
    ("PUT", f"{RBAC}/clusterroles/not-there", {"metadata": {"name": "not-there"}, "rules": EVERYTHING}, ""),
    ("PUT", f"{IN_DEFAULT}/roles/not-there", {"metadata": {"name": "not-there"}, "rules": SECRETS}, ""),
    ("PATCH", f"{RBAC}/clusterroles/small", {"rules": EVERYTHING}, MERGE),
    ("PATCH", f"{RBAC}/clusterroles/small", {"rules": EVERYTHING}, "application/strategic-merge-patch+json"),
    ("PATCH", f"{IN_DEFAULT}/roles/small", {"rules": SECRETS}, MERGE),
    (
        "PATCH",
        f"{RBAC}/clusterroles/fresh?fieldManager=x",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "fresh"},
            "rules": EVERYTHING,
        },
        APPLY,
    ),
    (
        "PATCH",
        f"{IN_DEFAULT}/roles/small?fieldManager=x&force=true",
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": SECRETS},
        APPLY,
    ),
    (
        "POST",
        f"{RBAC}/clusterrolebindings",
        {"metadata": {"name": "b"}, "roleRef": role_ref("ClusterRole", "cluster-admin"), "subjects": ME},
        "",
    ),
    (
        "POST",
        f"{IN_DEFAULT}/rolebindings",
        {"metadata": {"name": "b"}, "roleRef": role_ref("ClusterRole", "cluster-admin"), "subjects": ME},
        "",
    ),
    (
        "POST",
        f"{IN_DEFAULT}/rolebindings?dryRun=All",
        {"metadata": {"name": "b"}, "roleRef": role_ref("ClusterRole", "cluster-admin"), "subjects": ME},
        "",
    ),
    (
        "PUT",
        f"{RBAC}/clusterrolebindings/not-there",
        {"metadata": {"name": "not-there"}, "roleRef": role_ref("ClusterRole", "cluster-admin"), "subjects": ME},
        "",
    ),
    ("PATCH", f"{RBAC}/clusterrolebindings/cluster-admin", {"subjects": ME}, MERGE),
    (
        "PATCH",
        f"{RBAC}/clusterrolebindings/system:node?fieldManager=x&force=true",
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "roleRef": role_ref("ClusterRole", "system:node"),
            "subjects": ME,
        },
        APPLY,
    ),
    (
        "POST",
        f"{RBAC}/clusterroles",
        {
            "metadata": {"name": "sum"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"kubernetes.io/bootstrapping": "x"}}]},
        },
        "",
    ),
    (
        "PATCH",
        f"{RBAC}/clusterroles/small",
        {"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}},
        MERGE,
    ),
    (
        "POST",
        f"{RBAC}/clusterroles",
        {"metadata": {"name": "url"}, "rules": [{"nonResourceURLs": ["*"], "verbs": ["*"]}]},
        "",
    ),
    (
        "POST",
        f"{RBAC}/clusterroles",
        {
            "metadata": {"name": "as-others"},
            "rules": [{"apiGroups": [""], "resources": ["users", "groups"], "verbs": ["impersonate"]}],
        },
        "",
    ),
    (
        "POST",
        f"{RBAC}/clusterroles",
        {
            "metadata": {"name": "e"},
            "rules": [
                {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["escalate"]}
            ],
        },
        "",
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "media"), ATTEMPTS, ids=[f"{one[0]}-{one[1][35:]}" for one in ATTEMPTS]
)
def test_roles_and_bindings_give_no_more_than_their_writer_has(
    server: Server, method: str, path: str, body: dict[str, Any], media: str
) -> None:
    refused(server, method, path, body, media)
    assert server.ask("GET", "/api/v1/secrets", token=ALICE)[0] == 403
    assert server.ask("GET", f"{RBAC}/clusterrolebindings/b")[0] == 404


def test_what_one_has_one_may_give(server: Server) -> None:
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    assert (
        server.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "ok"}, "rules": rules}, token=ALICE)[0] == 201
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Impersonate_User": "admin"},
        {"Impersonate_User": "alice", "Impersonate_Group": "system:masters"},
        {"Impersonate_User": "system:serviceaccount:kube-system:default"},
        {"Impersonate_User": "system:node:n"},
        {"Impersonate_User": "alice", "Impersonate_Uid": "0"},
        {"Impersonate_User": "alice", "Impersonate_Extra_scopes": "all"},
        {"Impersonate_Group": "system:masters"},
        {"Impersonate_Uid": "0"},
        {"Impersonate_Extra_a": "b"},
    ],
    ids="-".join,
)
def test_nobody_acts_as_others(server: Server, headers: dict[str, str]) -> None:
    code, told, _ = server.ask("GET", "/api/v1/namespaces/default/pods", token=ALICE, **headers)
    assert code in {400, 403, 500}, told
    assert "items" not in told


def test_headers_of_front_proxies_mean_nothing(server: Server) -> None:
    told = server.ask(
        "GET", "/api/v1/secrets", token="", X_Remote_User="admin", X_Remote_Group="system:masters",
        X_Remote_Uid="0", X_Forwarded_For="127.0.0.1",
    )  # fmt: skip
    assert told[0] == 403


def test_a_token_request_needs_the_right_to_it(server: Server) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts"
    server.ask("POST", path, {"metadata": {"name": "robot"}})
    refused(server, "POST", f"{path}/robot/token", {"spec": {}})


def test_a_new_pod_is_no_way_to_be_a_mirror_of_a_node(server: Server) -> None:
    pod = {
        "metadata": {"name": "mirror", "annotations": {"kubernetes.io/config.mirror": "x"}},
        "spec": {"nodeName": "n", "serviceAccountName": "none", "containers": [{"name": "c", "image": "x"}]},
    }
    assert server.ask("POST", "/api/v1/namespaces/default/pods", pod, token=ALICE)[0] in {403, 422}


def pem_request(common_name: str, *groups: str) -> str:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    names += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(Encoding.PEM)).decode()


@pytest.mark.parametrize("signer", ["kube-apiserver-client", "kube-apiserver-client-kubelet", "kubelet-serving"])
def test_nobody_approves_or_signs_his_own_certificate(server: Server, signer: str) -> None:
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    spec = {
        "request": pem_request("system:node:n", "system:nodes"),
        "signerName": f"kubernetes.io/{signer}",
        "usages": ["client auth"],
    }
    body = {"metadata": {"name": signer}, "spec": {**spec, "username": "admin", "groups": ["system:masters"]}}
    code, made, _ = server.ask("POST", path, body, token=ALICE)
    assert code == 201, made
    assert (made["spec"]["username"], "system:masters" in made["spec"]["groups"]) == ("alice", False)
    approved = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}
    decided = {**made, "status": {"conditions": [approved]}}
    refused(server, "PUT", f"{path}/{signer}/approval", decided)
    refused(server, "PATCH", f"{path}/{signer}/approval", {"status": {"conditions": [approved]}}, MERGE)
    signed = {**made, "status": {"certificate": spec["request"]}}
    code, told, _ = server.ask("PUT", f"{path}/{signer}/status", signed, token=ALICE)
    assert code in {403, 422}, told
    assert server.ask("GET", f"{path}/{signer}")[1]["status"] == {}


def test_nobody_asks_for_a_certificate_of_the_masters(server: Server) -> None:
    spec = {"request": pem_request("x", "system:masters"), "signerName": "kubernetes.io/kube-apiserver-client"}
    body = {"metadata": {"name": "masters"}, "spec": {**spec, "usages": ["client auth"]}}
    assert server.ask("POST", "/apis/certificates.k8s.io/v1/certificatesigningrequests", body, token=ALICE)[0] == 403
