"""Which written roles and bindings grant the use of an SCC."""

from __future__ import annotations

from podward.access.policies import rbac_of
from podward.access.scc_grants import scc_grants
from podward.api.json_value import Json, JsonObject
from podward.documents.document import Document
from podward.schema.objects import Item, objects_of

RBAC = "rbac.authorization.k8s.io"
USE: JsonObject = {
    "apiGroups": ["security.openshift.io"],
    "resources": ["securitycontextconstraints"],
    "resourceNames": ["wide"],
    "verbs": ["use"],
}


def item(kind: str, name: str, **fields: Json) -> Item:
    raw: JsonObject = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **fields}
    (found,) = objects_of(Document("a.yaml", raw))
    return found


def binding(role: str) -> Item:
    return item(
        "ClusterRoleBinding",
        f"{role}-for-all",
        roleRef={"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        subjects=[{"apiGroup": RBAC, "kind": "Group", "name": "system:authenticated"}],
    )


def told(*written: Item) -> list[str]:
    return [each.item.name for each in scc_grants(rbac_of(written), written, ("wide", "privileged"))]


def test_a_role_and_the_binding_to_it_are_told_once() -> None:
    assert told(item("ClusterRole", "use", rules=[USE, USE]), binding("use")) == ["use-for-all", "use"]


def test_a_role_that_nobody_has_grants_nothing() -> None:
    assert told(item("ClusterRole", "use", rules=[USE])) == []


def test_a_binding_to_a_role_of_the_cluster_is_told() -> None:
    assert told(binding("system:openshift:scc:privileged")) == ["system:openshift:scc:privileged-for-all"]
    assert told(binding("cluster-admin")) == ["cluster-admin-for-all"]


def test_other_roles_are_not_told() -> None:
    rule: JsonObject = {"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}
    assert told(item("ClusterRole", "look", rules=[rule]), binding("look")) == []
