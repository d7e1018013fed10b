"""Acting as somebody else, and giving away what one does not have."""

from __future__ import annotations

from api_server import Server

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
ALICE = "alice-token"


def test_a_superuser_acts_as_whom_he_likes(server: Server) -> None:
    code, found, _ = server.ask("POST", WHOAMI, REVIEW, Impersonate_User="carol", Impersonate_Group="dev")
    assert code == 201
    assert found["status"]["userInfo"] == {"username": "carol", "groups": ["dev", "system:authenticated"]}


def test_nobody_else_does(server: Server) -> None:
    assert server.ask("POST", WHOAMI, REVIEW, token=ALICE, Impersonate_User="admin")[0] == 403
    assert server.ask("GET", "/version", token=ALICE, Impersonate_Group="system:masters")[0] == 400


def test_who_may_write_roles_gives_no_more_than_he_has(server: Server) -> None:
    rule = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["create"]}
    kind = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    server.ask("POST", ROLES, {**kind, "kind": "ClusterRole", "metadata": {"name": "writer"}, "rules": [rule]})
    subject = {"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}
    reference = {"kind": "ClusterRole", "name": "writer", "apiGroup": "rbac.authorization.k8s.io"}
    binding = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "writer"},
        "roleRef": reference,
        "subjects": [subject],
    }
    server.ask("POST", f"{ROLES.removesuffix('roles')}rolebindings", {**kind, **binding})
    secrets = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    role = {**kind, "kind": "ClusterRole", "metadata": {"name": "more"}}
    code, refused, _ = server.ask("POST", ROLES, {**role, "rules": [secrets]}, token=ALICE)
    assert code == 403
    assert "attempting to grant RBAC permissions not currently held" in refused["message"]
    assert server.ask("POST", ROLES, {**role, "rules": [rule]}, token=ALICE)[0] == 201
