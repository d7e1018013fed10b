"""A server with the Node authorizer lets nodes read what their Pods need, at once and no longer than that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_server import Server, running

NODE = {"Impersonate-User": "system:node:n1", "Impersonate-Group": "system:nodes"}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("nodes"), "--authorization-mode", "Node,RBAC") as started:
        yield started


def make(server: Server, path: str, kind: str, name: str, **fields: object) -> None:
    version = path.removeprefix("/api/").removeprefix("/apis/").split("/namespaces/")[0]
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}
    code, answer, _ = server.ask("POST", path, body)
    assert code == 201, answer


def test_a_secret_is_a_nodes_while_its_pod_is_there(nodes: Server) -> None:
    base = "/api/v1/namespaces/default"
    make(nodes, f"{base}/serviceaccounts", "ServiceAccount", "default")
    make(nodes, f"{base}/secrets", "Secret", "tls")
    path = f"{base}/secrets/tls"
    code, answer, _ = nodes.ask("GET", path, **NODE)
    assert code == 403
    assert answer["message"] == (
        'secrets "tls" is forbidden: User "system:node:n1" cannot get resource "secrets" in API group "" in the'
        " namespace \"default\": no relationship found between node 'n1' and this object"
    )
    volumes = [{"name": "tls", "secret": {"secretName": "tls"}}]
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}], "volumes": volumes}
    make(nodes, f"{base}/pods", "Pod", "web", spec=spec)
    assert nodes.ask("GET", path, **NODE)[0] == 200
    assert nodes.ask("DELETE", f"{base}/pods/web?gracePeriodSeconds=0")[0] == 200
    assert nodes.ask("GET", path, **NODE)[0] == 403


def test_a_list_of_pods_is_told_with_its_selectors(nodes: Server) -> None:
    assert nodes.ask("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1", **NODE)[0] == 200
    assert nodes.ask("GET", "/api/v1/pods?fieldSelector=spec.nodeName%3Dn2", **NODE)[0] == 403
    assert nodes.ask("GET", "/api/v1/pods", **NODE)[0] == 403


def test_reviews_are_told_of_selectors_too(nodes: Server) -> None:
    for selector, allowed in (("spec.nodeName=n1", True), ("spec.nodeName=n2", False), ("", False)):
        asked: dict[str, object] = {"verb": "list", "resource": "pods"}
        if selector:
            asked["fieldSelector"] = {"rawSelector": selector}
        spec = {"user": "system:node:n1", "groups": ["system:nodes"], "resourceAttributes": asked}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        code, answer, _ = nodes.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        assert code == 201
        assert answer["status"]["allowed"] is allowed


def test_the_rules_of_a_node_are_incomplete(nodes: Server) -> None:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "x"}}
    _, answer, _ = nodes.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body, **NODE)
    assert answer["status"]["incomplete"] is True
    assert answer["status"]["evaluationError"] == "node authorizer does not support user rule resolution"
