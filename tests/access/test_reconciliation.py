"""Default roles and bindings are completed, never cut down, and left alone where somebody said so."""

from __future__ import annotations

from podward.access.default_roles.objects import AUTO_UPDATE, default_objects
from podward.access.reconciliation import Write, Writing, write_for
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member


def default(kind: str, name: str) -> JsonObject:
    return next(raw for raw in default_objects() if raw["kind"] == kind and member(raw, "metadata")["name"] == name)


NODE = default("ClusterRole", "system:node-proxier")
BASIC = default("ClusterRoleBinding", "system:basic-user")


def after(changed: JsonObject, wanted: JsonObject) -> list[tuple[Writing, JsonObject]]:
    write = write_for(wanted, changed)
    return [] if write is None else [(write.how, write.object)]


def test_what_is_not_there_is_created_and_what_is_complete_left() -> None:
    for raw in default_objects():
        assert write_for(raw, None) == Write(Writing.CREATE, raw)
        assert write_for(raw, raw) is None


def test_missing_rules_are_added_and_others_kept() -> None:
    own: JsonObject = {"verbs": ["get"], "apiGroups": ["x"], "resources": ["y"]}
    ((how, changed),) = after({**NODE, "rules": [own]}, NODE)
    assert how is Writing.UPDATE
    rules = changed["rules"]
    assert isinstance(rules, list)
    assert rules[0] == own
    assert after(changed, NODE) == []


def test_missing_subjects_are_added_and_a_binding_to_another_role_is_made_anew() -> None:
    ((how, changed),) = after({**BASIC, "subjects": [{"kind": "User", "name": "a"}]}, BASIC)
    subjects = changed["subjects"]
    assert how is Writing.UPDATE
    assert isinstance(subjects, list)
    assert len(subjects) == 2
    reference: JsonObject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "other"}
    assert after({**BASIC, "roleRef": reference}, BASIC) == [(Writing.RECREATE, BASIC)]


def test_an_object_that_is_not_to_be_updated_is_left() -> None:
    metadata = NODE["metadata"]
    assert isinstance(metadata, dict)
    protected: JsonObject = {**NODE, "rules": [], "metadata": {**metadata, "annotations": {AUTO_UPDATE: "false"}}}
    assert after(protected, NODE) == []


def test_labels_that_are_there_are_kept() -> None:
    metadata = NODE["metadata"]
    assert isinstance(metadata, dict)
    changed: JsonObject = {**NODE, "metadata": {**metadata, "labels": {"kubernetes.io/bootstrapping": "mine"}}}
    assert after(changed, NODE) == []
