"""OpenShift's own access reviews, as `oc login` and `oc policy who-can` send them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_server import ADMIN, Server
from openshift_server import ALICE, BOB, openshift_server

BASE = "/apis/authorization.openshift.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
NOTHING = {
    "metadata": {}, "namespace": "", "verb": "", "resourceAPIGroup": "", "resourceAPIVersion": "", "resource": "",
    "resourceName": "", "path": "", "isNonResourceURL": False, "content": None,
}  # fmt: skip
"""What a Go client writes of a review whatever it asks."""


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with openshift_server(tmp_path_factory.mktemp("reviews")) as started:
        for name in ("shop", "other"):
            assert started.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})[0] == 201
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
        subjects = [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"},
            {"kind": "ServiceAccount", "name": "robot"},
        ]
        bound = {"metadata": {"name": "admins"}, "roleRef": {**ref, "name": "admin"}, "subjects": subjects}
        assert started.ask("POST", f"{RBAC}/namespaces/shop/rolebindings", bound)[0] == 201
        lost = {"metadata": {"name": "lost"}, "roleRef": {**ref, "name": "gone"}, "subjects": subjects}
        assert started.ask("POST", f"{RBAC}/namespaces/shop/rolebindings", lost)[0] == 201
        yield started


def _asked(server: Server, plural: str, token: str = ADMIN, within: str = "", **fields: object) -> tuple[int, Any]:
    where = f"{BASE}/namespaces/{within}/{plural}" if within else f"{BASE}/{plural}"
    whose = {"user": "", "groups": None, "scopes": None} if "subject" in plural else {}
    code, answer, _ = server.ask("POST", where, {**NOTHING, **whose, **fields}, token=token)
    return code, answer


@pytest.mark.parametrize(("token", "may"), [(ALICE, True), (BOB, False)])
def test_anybody_asks_about_himself_as_oc_login_does(server: Server, token: str, may: bool) -> None:  # noqa: FBT001
    for verb, allowed in (("list", True), ("create", may)):
        code, answer = _asked(server, "subjectaccessreviews", token, verb=verb, resource="projectrequests")
        assert (code, answer["kind"], answer["allowed"]) == (201, "SubjectAccessReviewResponse", allowed)
        assert answer["apiVersion"] == "authorization.openshift.io/v1"


def test_nobody_asks_about_others_without_the_right_to(server: Server) -> None:
    about = {"verb": "get", "resource": "pods", "user": "alice"}
    code, answer = _asked(server, "subjectaccessreviews", ALICE, **about)
    assert code == 403
    assert 'resource "subjectaccessreviews" in API group "authorization.openshift.io"' in answer["message"]
    assert _asked(server, "localsubjectaccessreviews", BOB, "other", **about)[0] == 403
    code, answer = _asked(server, "localsubjectaccessreviews", BOB, "shop", **about)
    assert (code, answer["allowed"], answer["namespace"]) == (201, False, "shop")
    assert _asked(server, "subjectaccessreviews", BOB, namespace="", **about)[0] == 403


def test_a_projects_admin_may_get_it_by_its_old_name_which_oc_asks_about(server: Server) -> None:
    about = {"verb": "get", "resource": "projects", "namespace": "shop"}
    for user, may in (("bob", True), ("alice", False)):
        _, answer = _asked(server, "subjectaccessreviews", user=user, **about)
        assert answer["allowed"] is may


def test_a_namespaces_admin_is_told_who_can(server: Server) -> None:
    _, answer = _asked(server, "localresourceaccessreviews", BOB, "shop", verb="delete", resource="pods")
    assert answer["kind"] == "ResourceAccessReviewResponse"
    assert {"bob", "system:serviceaccount:shop:robot"} <= set(answer["users"])
    assert "system:masters" in answer["groups"]
    assert answer["evalutionError"] == 'clusterrole.rbac.authorization.k8s.io "gone" not found'
    assert _asked(server, "localresourceaccessreviews", BOB, "other", verb="get", resource="pods")[0] == 403


def test_who_can_in_the_whole_cluster_is_for_its_administrators(server: Server) -> None:
    use = {"verb": "use", "resourceAPIGroup": "security.openshift.io", "resource": "securitycontextconstraints"}
    _, answer = _asked(server, "resourceaccessreviews", resourceName="restricted-v2", **use)
    assert "system:authenticated" in answer["groups"]
    assert "namespace" not in answer
    _, answer = _asked(server, "resourceaccessreviews", resourceName="privileged", **use)
    assert "system:authenticated" not in answer["groups"]
    _, answer = _asked(server, "resourceaccessreviews", verb="get", path="/healthz", isNonResourceURL=True)
    assert "system:authenticated" in answer["groups"]
    assert _asked(server, "resourceaccessreviews", BOB, verb="get", resource="pods")[0] == 403


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"resource": "pods"}, "verb: Required value"),
        ({"verb": "get"}, "resource: Required value"),
        ({"verb": "get", "path": "/x", "isNonResourceURL": True, "resource": "pods"}, "may not be specified"),
        ({"verb": "get", "isNonResourceURL": True}, "path: Required value"),
        ({"verb": "get", "resource": "pods", "metadata": {"name": "x"}}, "must be empty"),
    ],
)
def test_a_review_that_asks_nothing_is_refused(server: Server, fields: dict[str, Any], told: str) -> None:
    code, answer = _asked(server, "subjectaccessreviews", **fields)
    assert (code, told in answer["message"]) == (422, True), answer
    if "path" not in told:
        assert _asked(server, "localsubjectaccessreviews", within="shop", **fields)[0] == 422


def test_a_restriction_to_a_tokens_scopes_is_refused(server: Server) -> None:
    code, answer = _asked(server, "subjectaccessreviews", verb="get", resource="pods", scopes=["user:info"])
    assert (code, "scopes are not served here" in answer["message"]) == (400, True)


@pytest.mark.parametrize("body", ["{", '{"user": 1}', "[]"])
def test_a_body_that_is_no_review_is_not_personal(server: Server, body: str) -> None:
    assert server.ask("POST", f"{BASE}/subjectaccessreviews", body, token=ALICE)[0] == 403
