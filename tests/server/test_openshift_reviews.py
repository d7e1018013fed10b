"""PodSecurityPolicy reviews say which SCC would admit a Pod: `oc policy scc-subject-review` and `scc-review`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_server import Server
from openshift_server import BOB, of, openshift_server

SECURITY = "security.openshift.io/v1"
BASE = f"/apis/{SECURITY}/namespaces/shop"
PLAIN = {"containers": [{"name": "c", "image": "x"}]}
AS_ROOT = {"containers": [{"name": "c", "image": "x", "securityContext": {"runAsUser": 0}}]}


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openshift_server(tmp_path_factory.mktemp("reviews")) as started:
        assert started.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})[0] == 201
        for _ in range(100):
            if "annotations" in started.ask("GET", "/api/v1/namespaces/shop")[1]["metadata"]:
                break
        accounts = "/api/v1/namespaces/shop/serviceaccounts"
        assert started.ask("POST", accounts, {"metadata": {"name": "default"}})[0] == 201
        yield started


def _asked(server: Server, kind: str, spec: dict[str, Any], **more: object) -> tuple[int, Any]:
    body = of(SECURITY, kind, spec={"template": {"spec": spec}, **more})
    code, answer, _ = server.ask("POST", f"{BASE}/{kind.lower()}s", body)
    return code, answer


def test_the_caller_is_told_what_would_admit_his_pod(server: Server) -> None:
    code, review = _asked(server, "PodSecurityPolicySelfSubjectReview", PLAIN)
    assert (code, review["status"]["allowedBy"]["name"]) == (201, "anyuid")
    assert review["status"]["allowedBy"]["kind"] == "SecurityContextConstraints"


def test_it_is_asked_about_any_user(server: Server) -> None:
    kind, groups = "PodSecurityPolicySubjectReview", ["system:authenticated"]
    _, review = _asked(server, kind, PLAIN, user="bob", groups=groups)
    assert review["status"]["allowedBy"]["name"] == "restricted-v2"
    _, review = _asked(server, kind, AS_ROOT, user="bob", groups=groups)
    assert "allowedBy" not in review["status"]
    assert review["status"]["reason"] == "CantAssignSecurityContextConstraintProvider"


def test_what_would_be_set_is_told_where_the_template_names_an_account(server: Server) -> None:
    spec = {**PLAIN, "serviceAccountName": "default"}
    _, review = _asked(server, "PodSecurityPolicySelfSubjectReview", spec)
    pod = review["status"]["template"]["spec"]
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["MKNOD"]}


def test_service_accounts_are_asked_about_one_by_one(server: Server) -> None:
    kind = "PodSecurityPolicyReview"
    _, review = _asked(server, kind, PLAIN)
    assert review["status"]["allowedServiceAccounts"] is None
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:openshift:scc:nonroot"}
    subject = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    bound = {"metadata": {"name": "nonroot"}, "roleRef": role, "subjects": [subject]}
    assert server.ask("POST", bindings, bound)[0] == 201
    _, review = _asked(server, kind, PLAIN)
    found = [(each["name"], each["allowedBy"]["name"]) for each in review["status"]["allowedServiceAccounts"]]
    assert found == [("default", "nonroot")]
    code, refused = _asked(server, kind, PLAIN, serviceAccountNames=["nobody"])
    assert code == 400
    assert refused["message"] == 'unable to retrieve ServiceAccount nobody: serviceaccount "nobody" not found'


@pytest.mark.parametrize(
    ("kind", "spec", "more", "told"),
    [
        ("PodSecurityPolicySubjectReview", PLAIN, {}, "spec.user: Required value: at least one of user, groups or"),
        ("PodSecurityPolicySelfSubjectReview", {"containers": []}, {}, "spec.template.spec.containers: Required value"),
        (
            "PodSecurityPolicyReview",
            PLAIN,
            {"serviceAccountNames": ["A"]},
            "spec.serviceAccountNames[0]: Invalid value",
        ),
    ],
)
def test_what_is_no_question_is_refused(
    server: Server, kind: str, spec: dict[str, Any], more: dict[str, Any], told: str
) -> None:
    code, refused = _asked(server, kind, spec, **more)
    assert code == 422, refused
    assert told in refused["message"]


def test_nobody_asks_who_may_not(server: Server) -> None:
    body = of(SECURITY, "PodSecurityPolicySelfSubjectReview", spec={"template": {"spec": PLAIN}})
    path = f"{BASE}/podsecuritypolicyselfsubjectreviews"
    assert server.ask("POST", path, body, token=BOB)[0] == 403
    nowhere = path.replace("/shop/", "/nowhere/")
    assert server.ask("POST", nowhere, body)[0] == 404
