"""Who writes roles and bindings gives away only what he holds, or what he may escalate or bind."""

from __future__ import annotations

import pytest

from podward.access.escalation import RbacWrite, refusal
from podward.access.stored_rbac import StoredRbac
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.decision import Origin, Source

ALICE = User("alice", ("dev", "system:authenticated"))
YES = Answer(Opinion.ALLOW, Source(Origin.RULE, "test"))
OWNED: JsonObject = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["mine"]}
EVERYTHING: JsonObject = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def rbac() -> StoredRbac:
    made = StoredRbac()
    made.put("Role", {"metadata": {"name": "own", "namespace": "n"}, "rules": [OWNED]})
    made.put("ClusterRole", {"metadata": {"name": "big"}, "rules": [EVERYTHING]})
    subjects: list[Json] = [{"kind": "User", "name": "alice"}]
    made.put("RoleBinding", {**binding("Role", "own"), "subjects": subjects})
    return made


def binding(kind: str, name: str) -> JsonObject:
    reference: JsonObject = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    return {"metadata": {"name": "b", "namespace": "n"}, "roleRef": reference}


def role(*rules: Json) -> JsonObject:
    return {"metadata": {"name": "more", "namespace": "n"}, "rules": list(rules)}


def refused(
    resource: str, new: JsonObject, old: JsonObject | None = None, user: User = ALICE, answer: Answer = NO_OPINION
) -> tuple[Status | None, list[Attributes]]:
    """What comes of the write where the authorizers always say `answer`, and what they were asked."""
    asking = refusal(RbacWrite(user, resource, "n", "", new, old), rbac())
    asked = []
    try:
        question = next(asking)
        while True:
            asked.append(question)
            question = asking.send(answer)
    except StopIteration as end:
        found: Status | None = end.value
        return found, asked


def message(resource: str, new: JsonObject, old: JsonObject | None = None) -> str:
    found, _ = refused(resource, new, old)
    assert found is not None
    return found.message


def test_the_missing_rules_are_told_one_a_line() -> None:
    secrets: JsonObject = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    scale: JsonObject = {
        "apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"], "resourceNames": ["x"],
    }  # fmt: skip
    assert message("roles", role(secrets, scale)) == (
        'roles.rbac.authorization.k8s.io "more" is forbidden: user "alice" (groups=["dev" "system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}\n'
        '{APIGroups:["apps"], Resources:["deployments/scale"], ResourceNames:["x"], Verbs:["patch"]}'
    )


def test_what_is_held_may_be_given_and_masters_may_give_anything() -> None:
    assert refused("roles", role(OWNED))[0] is None
    assert refused("roles", role(EVERYTHING), user=User("root", ("system:masters",))) == (None, [])


def test_names_do_not_cover_all_names() -> None:
    assert "not currently held" in message("roles", role({**OWNED, "resourceNames": []}))


def test_escalate_and_bind_are_asked_by_name_and_allow_it() -> None:
    found, asked = refused("roles", role(EVERYTHING), answer=YES)
    assert found is None
    assert [(each.verb, each.resource) for each in asked] == [("escalate", "roles")]
    found, asked = refused("rolebindings", binding("ClusterRole", "big"), answer=YES)
    assert found is None
    assert [(each.verb, each.resource, each.name, each.namespace) for each in asked] == [
        ("bind", "clusterroles", "big", "n")
    ]


def test_binding_a_greater_role_is_refused_and_a_missing_one_not_found() -> None:
    assert 'rolebindings.rbac.authorization.k8s.io "b" is forbidden' in message(
        "rolebindings", binding("ClusterRole", "big")
    )
    assert message("rolebindings", binding("Role", "ghost")) == (
        'rolebindings.rbac.authorization.k8s.io "ghost" not found'
    )


def test_collecting_takes_all_rights() -> None:
    collecting: JsonObject = {"metadata": {"name": "c"}, "aggregationRule": {"clusterRoleSelectors": [{}]}}
    assert message("clusterroles", collecting).endswith("must have cluster-admin privileges to use the aggregationRule")
    assert message("clusterroles", {"metadata": {"name": "c"}}, collecting).endswith("to use the aggregationRule")


@pytest.mark.parametrize("field", ["ownerReferences", "finalizers"])
def test_a_change_for_the_garbage_collector_is_not_asked_about(field: str) -> None:
    old = role(EVERYTHING)
    metadata = old["metadata"]
    assert isinstance(metadata, dict)
    assert refused("roles", {**old, "metadata": {**metadata, field: []}}, old)[0] is None
