"""Which plugins look at a request."""

from __future__ import annotations

import pytest

from podward.api.authorization import Attributes
from podward.api.caller import User
from podward.stages.admission.acting import acting, request_of

ALICE = User("alice")


def names(wanted: Attributes, kind: str = "Pod", enabled: frozenset[str] = frozenset()) -> list[str]:
    request = request_of(wanted, kind, None)
    return [] if request is None else [name for name, _ in acting(request, enabled)]


def test_a_new_pod_is_looked_at_by_many_in_the_servers_order() -> None:
    found = names(Attributes(ALICE, "create", resource="pods", namespace="shop"))
    wanted = ["NamespaceLifecycle", "LimitRanger", "ServiceAccount", "Priority", "RuntimeClass", "PodSecurity"]
    assert list(dict.fromkeys(name for name in found if name in wanted)) == wanted  # some have two phases
    assert found[-1] == "ResourceQuota"


@pytest.mark.parametrize("verb", ["get", "list", "watch", "impersonate"])
def test_what_only_reads_reaches_no_plugin(verb: str) -> None:
    assert names(Attributes(ALICE, verb, resource="pods", namespace="shop")) == []
    assert names(Attributes(ALICE, "create", path="/metrics")) == []


def test_node_restriction_looks_at_nodes_where_it_is_on() -> None:
    node = Attributes(User("system:node:n1", ("system:nodes",)), "update", resource="nodes", name="n1")
    assert "NodeRestriction" in names(node, "Node", frozenset(("NodeRestriction",)))
    assert "NodeRestriction" not in names(node, "Node")


def test_reviews_are_kept_from_webhooks() -> None:
    review = Attributes(ALICE, "create", "authorization.k8s.io", "subjectaccessreviews")
    assert names(review, "SubjectAccessReview") == []


def test_whoever_approves_certificates_is_looked_at() -> None:
    approval = Attributes(ALICE, "update", "certificates.k8s.io", "certificatesigningrequests", "approval", "x")
    assert "CertificateApproval" in names(approval, "CertificateSigningRequest")
