"""What a node writes is its own: facts of Kubernetes' own table of cases for this plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from msgspec import structs

from podward.api.admission import PODS, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.stages.admission.node_restriction import refusal
from podward.stages.admission.node_tokens import question
from podward.stages.admission.served_facts import Served

NODE = User("system:node:n1", ("system:nodes",))
NODES, CLAIMS = GroupResource("", "nodes"), GroupResource("", "persistentvolumeclaims")
LEASES, CSI_NODES = GroupResource("coordination.k8s.io", "leases"), GroupResource("storage.k8s.io", "csinodes")
SLICES, ACCOUNTS = GroupResource("resource.k8s.io", "resourceslices"), GroupResource("", "serviceaccounts")
CREATE, UPDATE, DELETE = Operation.CREATE, Operation.UPDATE, Operation.DELETE
OWN: JsonObject = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "u1", "controller": True}


class Known:
    """What is stored."""

    def __init__(self, stored: Mapping[str, list[JsonObject]]) -> None:
        self._stored = stored

    def get(self, plural: str, namespace: str, name: str) -> JsonObject | None:
        del namespace
        return next((each for each in self.all(plural) if member(each, "metadata").get("name") == name), None)

    def all(self, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        del namespace
        return self._stored.get(plural, [])


def why(
    resource: GroupResource,
    operation: Operation,
    obj: JsonObject | None,
    old: JsonObject | None = None,
    **request: str | User | bool | Mapping[str, list[JsonObject]],
) -> str:
    """The reason of the refusal; empty where there is none."""
    stored = request.pop("stored", {"nodes": [{"metadata": {"name": "n1", "uid": "u1"}}]})
    granted = request.pop("granted", False)
    name = str(member(obj or old or {}, "metadata").get("name") or "")
    asked = AdmissionRequest(operation, obj, NODE, "shop", name, old, resource=resource)
    asked = structs.replace(asked, **request)
    assert isinstance(stored, dict)
    found = refusal(Served(asked, Known(stored), "", bool(granted)), obj if obj is not None else old or {})
    return "" if found is None else found.message.partition(" is forbidden: ")[2] or found.message


def mirror(**changes: object) -> JsonObject:
    of: JsonObject = {"name": "web", "annotations": {"kubernetes.io/config.mirror": "x"}, "ownerReferences": [OWN]}
    spec: JsonObject = {"nodeName": "n1", "volumes": [{"name": "tmp", "emptyDir": {}}]}
    of.update({key: value for key, value in changes.items() if key in {"annotations", "ownerReferences"}})  # type: ignore[misc]  # JSON
    spec.update({key: value for key, value in changes.items() if key not in {"annotations", "ownerReferences"}})  # type: ignore[misc]  # JSON
    return {"metadata": of, "spec": spec}


def on(node: str, **status: object) -> JsonObject:
    return {"metadata": {"name": "web", "uid": "p1"}, "spec": {"nodeName": node}, "status": {**status}}  # type: ignore[dict-item]  # JSON


LABELLED: JsonObject = {"metadata": {"name": "web", "labels": {"a": "b"}}, "spec": {"nodeName": "n1"}}
_SELF = "itself"
_OTHER = "does not match the UID in record. The object might have been deleted and then recreated"
_UNNAMED = "not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience"
THREE = ("k8s.io/b", "node-restriction.kubernetes.io/a", "x.kubernetes.io/c")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        (
            {"annotations": {}},
            'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
        ),
        ({"nodeName": "n2"}, f'node "n1" can only create pods with spec.nodeName set to {_SELF}'),
        ({"ownerReferences": []}, f'node "n1" can only create pods with an owner reference set to {_SELF}'),
        (
            {"ownerReferences": [OWN, OWN]},
            f'node "n1" can only create pods with a single owner reference set to {_SELF}',
        ),
        (
            {"ownerReferences": [{**OWN, "name": "n2"}]},
            f'node "n1" can only create pods with an owner reference set to {_SELF}',
        ),
        (
            {"ownerReferences": [{**OWN, "controller": False}]},
            f'node "n1" can only create pods with a controller owner reference set to {_SELF}',
        ),
        (
            {"ownerReferences": [{**OWN, "blockOwnerDeletion": True}]},
            'node "n1" must not set blockOwnerDeletion on an owner reference',
        ),
        ({"ownerReferences": [{**OWN, "uid": "u2"}]}, "node n1 UID mismatch: expected u2 got u1"),
        ({"serviceAccountName": "robot"}, 'node "n1" can not create pods that reference serviceaccounts'),
        (
            {"volumes": [{"name": "s", "secret": {"secretName": "s"}}]},
            'node "n1" can not create pods that reference secrets',
        ),
        (
            {"volumes": [{"name": "s", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            'node "n1" can not create pods that reference serviceaccounts (via projected volumes)',
        ),
        (
            {"volumes": [{"name": "s", "ephemeral": {}}]},
            'node "n1" can not create pods that reference persistentvolumeclaims (via ephemeral volumes)',
        ),
    ],
)
def test_a_new_pod(changes: dict[str, object], reason: str) -> None:
    assert why(PODS, CREATE, mirror(**changes)) == reason


def test_the_node_of_a_mirror_pod_must_be_there() -> None:
    assert why(PODS, CREATE, mirror(), stored={}) == 'node "n1" not found'


@pytest.mark.parametrize(
    ("operation", "part", "new", "old", "reason"),
    [
        (DELETE, "", None, on("n1"), ""),
        (DELETE, "", None, on("n2"), 'node "n1" can only delete pods with spec.nodeName set to itself'),
        (
            UPDATE, "", on("n1"), on("n1"),
            'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
        ),
        (UPDATE, "status", on("n1", phase="Running"), on("n1"), ""),
        (
            UPDATE, "status", on("n2"), on("n2"),
            'node "n1" can only update pod status for pods with spec.nodeName set to itself',
        ),
        (
            UPDATE, "status", LABELLED, on("n1"),
            'node "n1" cannot update labels through pod status',
        ),
        (
            UPDATE, "status", on("n1", resourceClaimStatuses=[{"name": "a"}]), on("n1"),
            'node "n1" cannot update resource claim statues',
        ),
        (CREATE, "eviction", on("n1"), None, ""),
        (
            UPDATE, "ephemeralcontainers", on("n1"), on("n1"),
            'unexpected pod subresource "ephemeralcontainers", only \'status\' and \'eviction\' are allowed',
        ),
    ],
)  # fmt: skip
def test_a_pod_that_is_there(
    operation: Operation, part: str, new: JsonObject | None, old: JsonObject | None, reason: str
) -> None:
    assert why(PODS, operation, new, old, subresource=part, stored={"pods": [on("n1")]}) == reason


def test_a_pod_of_another_node_is_not_evicted() -> None:
    eviction: JsonObject = {"metadata": {"name": "web"}}
    of_other = why(PODS, CREATE, eviction, subresource="eviction", stored={"pods": [on("n2")]})
    assert of_other == "node n1 can only evict pods with spec.nodeName set to itself"
    assert why(PODS, CREATE, eviction, subresource="eviction", stored={}) == 'pod "web" not found'


def node(name: str = "n1", labels: JsonObject | None = None, **spec: object) -> JsonObject:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {**spec}}  # type: ignore[dict-item]  # JSON


@pytest.mark.parametrize(
    ("new", "old", "reason"),
    [
        (node(), None, ""),
        (node("n2"), None, 'node "n1" is not allowed to modify node "n2"'),
        (node(labels={"kubernetes.io/hostname": "n1", "example.com/a": "b", "a.node.kubernetes.io/c": ""}), None, ""),
        (
            node(labels={"node-restriction.kubernetes.io/a": "", "k8s.io/b": "", "x.kubernetes.io/c": ""}), None,
            'node "n1" is not allowed to set the following labels: ' + ", ".join(THREE),
        ),
        (node(configSource={"x": "y"}), None, 'node "n1" is not allowed to create pods with a non-nil configSource'),
        (node(unschedulable=True), node(), ""),
        (node(taints=[{"key": "a"}]), node(), 'node "n1" is not allowed to modify taints'),
        (node(), node(taints=[{"key": "a"}]), 'node "n1" is not allowed to modify taints'),
        (
            node(), node(labels={"a.node-restriction.kubernetes.io/b": "c"}),
            "is not allowed to modify labels: a.node-restriction.kubernetes.io/b",
        ),
    ],
)  # fmt: skip
def test_a_node(new: JsonObject, old: JsonObject | None, reason: str) -> None:
    assert why(NODES, CREATE if old is None else UPDATE, new, old) == reason


def claim(labels: JsonObject | None = None, **status: object) -> JsonObject:
    return {"metadata": {"name": "data", "labels": labels or {}}, "spec": {}, "status": {**status}}  # type: ignore[dict-item]  # JSON


def test_of_a_claim_only_progress_is_reported() -> None:
    assert why(CLAIMS, UPDATE, claim(), claim()) == "may only update PVC status"
    grown = claim(capacity={"storage": "2Gi"}, conditions=[], phase="Bound")
    assert why(CLAIMS, UPDATE, grown, claim(phase="Bound"), subresource="status") == ""
    for changed in (claim(phase="Lost"), claim(labels={"a": "b"})):
        found = why(CLAIMS, UPDATE, changed, claim(phase="Bound"), subresource="status")
        assert found.startswith('node "n1" is not allowed to update fields other than status.quantity')


def test_leases_csi_nodes_and_slices_are_the_nodes_own() -> None:
    own: JsonObject
    other: JsonObject
    own, other = ({"metadata": {"name": name}, "spec": {"nodeName": name}} for name in ("n1", "n2"))  # type: ignore[assignment]  # JSON
    for resource in (LEASES, CSI_NODES, SLICES):
        assert why(resource, CREATE, own, namespace="kube-node-lease") == ""
        assert "with the same" in why(resource, CREATE, other, namespace="kube-node-lease")
    assert why(LEASES, CREATE, own) == 'can only access leases in the "kube-node-lease" system namespace'
    assert why(SLICES, UPDATE, other, other) == ""
    assert why(SLICES, DELETE, None, other) == (
        "can only delete ResourceSlice with the same NodeName as the requesting node"
    )


def token(audience: str = "", **reference: str) -> JsonObject:
    bound: JsonObject = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": "p1", **reference}
    spec: JsonObject = {"boundObjectRef": bound, "audiences": [audience] if audience else []}
    return {"metadata": {"name": "robot"}, "spec": spec}


def volumes(node: str, *found: JsonObject) -> JsonObject:
    return {"metadata": {"name": "web", "uid": "p1"}, "spec": {"nodeName": node, "volumes": [*found]}}


OF_VAULT: JsonObject = {"projected": {"sources": [{"serviceAccountToken": {"audience": "vault", "path": "t"}}]}}
OF_SERVER: JsonObject = {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}


@pytest.mark.parametrize(
    ("asked", "pod", "reason"),
    [
        (token(), volumes("n1", OF_SERVER), ""),
        (token("vault"), volumes("n1", OF_VAULT), ""),
        (token("vault"), volumes("n1", {"csi": {"driver": "disk"}}), ""),
        (token("vault"), volumes("n1", {"persistentVolumeClaim": {"claimName": "data"}}), ""),
        (token(kind="Secret"), volumes("n1"), "node requested token not bound to a pod"),
        (token(uid=""), volumes("n1"), "node requested token with a pod binding without a uid"),
        (token(name="gone"), volumes("n1"), 'pod "gone" not found'),
        (token(), volumes("n2"), "node requested token bound to a pod scheduled on a different node"),
        (
            token(uid="p2"), volumes("n1"),
            f"the UID in the bound object reference (p2) {_OTHER}",
        ),
        (
            token("bank"), volumes("n1", OF_VAULT),
            f'audience "bank" {_UNNAMED}',
        ),
        (
            token("bank"), volumes("n1", {"persistentVolumeClaim": {"claimName": "lost"}}),
            'error validating audience "bank": persistentvolumeclaim "lost" not found',
        ),
    ],
)  # fmt: skip
def test_a_token(asked: JsonObject, pod: JsonObject, reason: str) -> None:
    stored: dict[str, list[JsonObject]] = {
        "pods": [pod],
        "persistentvolumeclaims": [{"metadata": {"name": "data"}, "spec": {"volumeName": "v"}}],
        "persistentvolumes": [{"metadata": {"name": "v"}, "spec": {"csi": {"driver": "disk"}}}],
        "csidrivers": [{"metadata": {"name": "disk"}, "spec": {"tokenRequests": [{"audience": "vault"}]}}],
    }
    assert why(ACCOUNTS, CREATE, asked, subresource="token", stored=stored) == reason


def test_a_token_for_any_audience_may_be_granted() -> None:
    stored = {"pods": [volumes("n1")]}
    assert why(ACCOUNTS, CREATE, token("bank"), subresource="token", stored=stored, granted=True) == ""
    request = AdmissionRequest(CREATE, token("bank"), NODE, "shop", "robot", resource=ACCOUNTS, subresource="token")
    asked = question(request, token("bank"))
    assert (asked.verb, asked.resource, asked.name) == ("request-serviceaccounts-token-audience", "bank", "robot")


def test_who_is_no_node_is_left_alone_and_a_nameless_one_refused() -> None:
    assert why(NODES, CREATE, node("n2"), user=User("alice")) == ""
    nameless = User("system:node:", ("system:nodes",))
    assert why(NODES, CREATE, node("n2"), user=nameless) == 'could not determine node from user "system:node:"'
