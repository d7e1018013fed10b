"""What a node may do is what the tables of Kubernetes' own tests of this authorizer say."""

from __future__ import annotations

import pytest

from podward.access.node.authorizer import NodeAuthorizer
from podward.access.node.graph import Graph
from podward.api.authorization import Answer, Attributes, Opinion, Requirement
from podward.api.caller import User
from podward.api.json_value import JsonObject

NODE = User("system:node:n1", ("system:nodes", "system:authenticated"))
MINE = (Requirement("spec.nodeName", "In", ("n1",)),)
OTHERS = (Requirement("spec.nodeName", "In", ("n2",)),)
UNLIKE = (Requirement("spec.nodeName", "NotIn", ("n1",)),)


def authorizer() -> NodeAuthorizer:
    graph = Graph()
    for node in ("n1", "n2"):
        spec: JsonObject = {
            "nodeName": node,
            "serviceAccountName": f"robot-{node}",
            "volumes": [
                {"secret": {"secretName": f"secret-{node}"}},
                {"configMap": {"name": f"map-{node}"}},
                {"persistentVolumeClaim": {"claimName": f"claim-{node}"}},
            ],
        }
        graph.put("pods", {"metadata": {"name": f"pod-{node}", "namespace": "shop"}, "spec": spec})
        claim: JsonObject = {"claimRef": {"namespace": "shop", "name": f"claim-{node}"}}
        graph.put("persistentvolumes", {"metadata": {"name": f"disk-{node}"}, "spec": claim})
        graph.put("volumeattachments", {"metadata": {"name": f"attached-{node}"}, "spec": {"nodeName": node}})
        graph.put("resourceslices", {"metadata": {"name": f"slice-{node}"}, "spec": {"nodeName": node}})
    return NodeAuthorizer(graph)


def asked(words: str, fields: tuple[Requirement, ...] = (), user: User = NODE) -> Answer:
    """The answer to `VERB GROUP/RESOURCE[/SUBRESOURCE] NAMESPACE NAME`, where `-` stands for nothing."""
    verb, what, namespace, name = (word if word != "-" else "" for word in words.split())
    group, resource, *rest = what.split("/")
    wanted = Attributes(
        user, verb, group, resource, rest[0] if rest else "", name, namespace, field_selector=fields
    )  # fmt: skip
    return authorizer().authorize(wanted)


@pytest.mark.parametrize(
    "words",
    [
        "get /secrets shop secret-n1",
        "list /secrets shop secret-n1",
        "watch /secrets shop secret-n1",
        "get /configmaps shop map-n1",
        "get /persistentvolumeclaims shop claim-n1",
        "update /persistentvolumeclaims/status shop claim-n1",
        "patch /persistentvolumeclaims/status shop claim-n1",
        "get /persistentvolumes - disk-n1",
        "get storage.k8s.io/volumeattachments - attached-n1",
        "get resource.k8s.io/resourceslices - slice-n1",
        "create resource.k8s.io/resourceslices - -",
        "get /serviceaccounts shop robot-n1",
        "create /serviceaccounts/token shop robot-n1",
        "create coordination.k8s.io/leases kube-node-lease -",
        "update coordination.k8s.io/leases kube-node-lease n1",
        "delete storage.k8s.io/csinodes - n1",
        "get /nodes - n1",
        "create /nodes - -",
        "update /nodes - n2",
        "patch /nodes/status - n2",
        "get /pods shop pod-n1",
        "list /pods shop pod-n1",
        "create /pods shop -",
        "delete /pods shop pod-n2",
        "update /pods/status shop pod-n2",
        "create /pods/eviction shop pod-n2",
        "list /services - -",
        "create certificates.k8s.io/certificatesigningrequests - -",
        "create /events shop -",
    ],
)
def test_a_node_may(words: str) -> None:
    answer = asked(words)
    assert answer.opinion is Opinion.ALLOW
    assert answer.reason == ""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("get /secrets shop secret-n2", "no relationship found between node 'n1' and this object"),
        ("get /secrets other secret-n1", "no relationship found between node 'n1' and this object"),
        ("list /secrets shop -", "No Object name found"),
        ("get /secrets - secret-n1", "can only read namespaced object of this type"),
        ("update /secrets shop secret-n1", "can only read resources of this type"),
        ("get /configmaps/status shop map-n1", "cannot read subresource"),
        ("list /persistentvolumeclaims shop claim-n1", "can only get individual resources of this type"),
        ("get /persistentvolumes/status - disk-n1", "cannot get subresource"),
        ("get /persistentvolumeclaims/status shop claim-n1", "can only get/update/patch this type"),
        ("list /serviceaccounts shop -", "can only create tokens for individual service accounts"),
        ("create /serviceaccounts/x shop robot-n1", "can only create token subresource of serviceaccount"),
        ("create /serviceaccounts/token shop robot-n2", "no relationship found between node 'n1' and this object"),
        ("get coordination.k8s.io/leases shop n1", 'can only access leases in the "kube-node-lease" system namespace'),
        (
            "get coordination.k8s.io/leases kube-node-lease n2",
            "can only access node lease with the same name as the requesting node",
        ),
        (
            "list coordination.k8s.io/leases kube-node-lease -",
            "can only get, create, update, patch, or delete a node lease",
        ),
        ("get storage.k8s.io/csinodes - n2", "can only access CSINode with the same name as the requesting node"),
        ("get /nodes - n2", "node 'n1' cannot read 'n2', only its own Node object"),
        ("list /nodes - -", "node 'n1' cannot read all nodes, only its own Node object"),
        ("delete /nodes - n1", ""),
        ("list /pods shop -", "can only list/watch pods with spec.nodeName field selector"),
        ("update /pods shop pod-n1", ""),
        ("get certificates.k8s.io/podcertificaterequests shop one", ""),
        ("create rbac.authorization.k8s.io/clusterroles - -", ""),
    ],
)
def test_a_node_may_not(words: str, reason: str) -> None:
    answer = asked(words)
    assert answer.opinion is Opinion.NO_OPINION
    assert answer.reason == reason


@pytest.mark.parametrize("what", ["/pods", "resource.k8s.io/resourceslices"])
def test_a_list_may_be_of_what_is_the_nodes(what: str) -> None:
    assert asked(f"list {what} - -", MINE).opinion is Opinion.ALLOW
    assert asked(f"watch {what} - -", MINE).opinion is Opinion.ALLOW
    for fields in ((), OTHERS, UNLIKE):
        assert asked(f"list {what} - -", fields).opinion is Opinion.NO_OPINION


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (User("alice", ("system:nodes",)), ""),
        (User("system:node:n1"), ""),
        (User("system:node:", ("system:nodes",)), 'unknown node for user "system:node:"'),
    ],
)
def test_who_is_no_node_gets_no_opinion(user: User, reason: str) -> None:
    assert asked("get /nodes - n1", user=user) == Answer(message=reason)


def test_a_node_that_is_allowed_something_is_told_by_which_objects() -> None:
    source = asked("get /persistentvolumes - disk-n1").source
    assert source is not None
    way = "pods shop/pod-n1 <- persistentvolumeclaims shop/claim-n1 <- persistentvolumes disk-n1"
    assert source.name == f"Node authorizer: node n1 <- {way}"


def test_the_rights_of_nodes_cannot_be_listed() -> None:
    assert authorizer().known_rules(NODE, "shop").incomplete
    assert not authorizer().known_rules(User("alice"), "shop").incomplete
