"""A server's RBAC follows its roles and bindings as they come, change and go."""

from __future__ import annotations

import time

from podward.access.default_roles.objects import default_objects
from podward.access.stored_rbac import StoredRbac
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User, service_account
from podward.api.json_value import Json, JsonObject

ALICE = User("alice", ("dev", "system:authenticated"))
READ = Attributes(ALICE, "get", resource="configmaps", name="mine", namespace="guarded")


def role(*rules: Json, name: str = "reader", namespace: str = "guarded") -> JsonObject:
    return {"metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}


def binding(*subjects: Json, kind: str = "Role", name: str = "b", role_name: str = "reader") -> JsonObject:
    reference: JsonObject = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role_name}
    return {"metadata": {"name": name, "namespace": "guarded"}, "roleRef": reference, "subjects": list(subjects)}


GET: JsonObject = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
TO_ALICE: JsonObject = {"kind": "User", "name": "alice"}
TO_DEV: JsonObject = {"kind": "Group", "name": "dev"}


def rbac(*rules: Json, subject: JsonObject = TO_ALICE) -> StoredRbac:
    made = StoredRbac()
    made.put("Role", role(*(rules or (GET,))))
    made.put("RoleBinding", binding(subject))
    return made


def test_the_reason_names_binding_role_and_subject() -> None:
    assert rbac().authorize(READ).reason == 'RBAC: allowed by RoleBinding "b/guarded" of Role "reader" to User "alice"'
    assert rbac(subject=TO_DEV).authorize(READ).reason.endswith('to Group "dev"')


def test_a_changed_role_and_a_deleted_binding_count_at_once() -> None:
    made = rbac()
    assert made.authorize(READ).opinion is Opinion.ALLOW
    made.put("Role", role({**GET, "verbs": ["list"]}))
    assert made.authorize(READ).opinion is Opinion.NO_OPINION
    made.put("Role", role(GET))
    made.remove("RoleBinding", "guarded", "b")
    assert made.authorize(READ).opinion is Opinion.NO_OPINION


def test_a_binding_that_changed_its_subjects_holds_for_the_new_ones_only() -> None:
    made = rbac()
    made.put("RoleBinding", binding({"kind": "User", "name": "bob"}))
    assert made.authorize(READ).opinion is Opinion.NO_OPINION


def test_the_role_that_is_missing_is_the_reason() -> None:
    made = rbac()
    made.remove("Role", "guarded", "reader")
    assert made.authorize(READ).reason == 'RBAC: role.rbac.authorization.k8s.io "reader" not found'
    made.put("RoleBinding", binding(TO_DEV, kind="ClusterRole", name="c", role_name="ghost"))
    assert made.authorize(READ).reason == (
        'RBAC: [role.rbac.authorization.k8s.io "reader" not found, '
        'clusterrole.rbac.authorization.k8s.io "ghost" not found]'
    )
    assert made.authorize(Attributes(User("bob"), "get", resource="x", namespace="guarded")).reason == ""


def test_subresources_names_and_urls_are_covered_as_the_rules_say() -> None:
    scale: JsonObject = {"apiGroups": ["apps"], "resources": ["*/scale"], "verbs": ["*"]}
    named: JsonObject = {**GET, "resources": ["secrets"], "resourceNames": ["mine"]}
    made = rbac(scale, named)

    def allows(resource: str, subresource: str = "", name: str = "", group: str = "") -> bool:
        wanted = Attributes(ALICE, "get", group, resource, subresource, name, "guarded")
        return made.authorize(wanted).opinion is Opinion.ALLOW

    assert allows("deployments", "scale", group="apps")
    assert not allows("deployments", group="apps")
    assert not allows("deployments", "status", group="apps")
    assert allows("secrets", name="mine")
    assert not allows("secrets", name="yours")
    assert not allows("secrets")


def test_a_service_account_of_the_bindings_own_namespace_needs_none_written() -> None:
    made = rbac(subject={"kind": "ServiceAccount", "name": "robot"})
    wanted = Attributes(service_account("guarded", "robot"), "get", resource="configmaps", namespace="guarded")
    assert made.authorize(wanted).reason.endswith('to ServiceAccount "robot/guarded"')


def test_an_answer_among_the_default_roles_takes_microseconds() -> None:
    made = rbac()
    for raw in default_objects():
        made.put(str(raw["kind"]), raw)
    begun = time.process_time()
    for _ in range(2000):
        made.authorize(READ)
    assert (time.process_time() - begun) / 2000 < 100e-6  # 10 on a quiet machine
