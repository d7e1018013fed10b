"""What is done with every object that is made or changed, whatever its kind."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.schema.strategies import flow
from podward.schema.strategies.registry import strategy_of


def told(decision: Decision) -> list[str]:
    return [f"{violation.path}: {violation.reason}" for violation in decision.violations]


def config_map(name: str = "a", /, **fields: Json) -> JsonObject:
    return {"metadata": {"name": name, "namespace": "n", "uid": "u", "resourceVersion": "1"}, **fields}


MAPS = strategy_of("", "configmaps")


def test_a_sound_object_is_not_refused() -> None:
    assert told(flow.refused_new(MAPS, config_map(data={"a": "b"}))) == []
    assert told(flow.refused_change(MAPS, config_map(data={"a": "c"}), config_map(data={"a": "b"}))) == []


def test_a_name_must_be_a_subdomain() -> None:
    (only,) = told(flow.refused_new(MAPS, config_map("A")))
    assert only.startswith('metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must')


def test_an_error_of_common_fields_is_told_by_both_who_look_at_a_change() -> None:
    changed: JsonObject = config_map()
    changed["metadata"] = {"name": "a", "namespace": "n", "uid": "other", "resourceVersion": "1"}
    assert told(flow.refused_change(MAPS, changed, config_map())) == [
        'metadata.uid: Invalid value: "other": field is immutable',
        'metadata.uid: Invalid value: "other": field is immutable',
    ]


def test_no_finalizer_comes_while_an_object_is_being_deleted() -> None:
    old: JsonObject = {"metadata": {"name": "a", "namespace": "n", "resourceVersion": "1", "deletionTimestamp": "t"}}
    new: JsonObject = {"metadata": {**old["metadata"], "finalizers": ["example.com/b"]}}  # type: ignore[dict-item]
    assert told(flow.refused_change(MAPS, new, old))[0] == (
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new"
        ' finalizers []string{"example.com/b"}'
    )


def test_what_the_server_sees_to_is_kept_whatever_a_replacement_says() -> None:
    old: JsonObject = {"metadata": {"name": "a", "uid": "u", "creationTimestamp": "then", "generation": 3}}
    new: JsonObject = {"metadata": {"name": "a", "creationTimestamp": "now", "generation": 9}}
    assert flow.prepared_change(MAPS, new, old)["metadata"] == old["metadata"]
    assert new["metadata"] == {"name": "a", "creationTimestamp": "now", "generation": 9}


def test_a_resource_without_a_strategy_of_its_own_has_a_name_and_a_namespace() -> None:
    other = strategy_of("example.com", "cakes", namespaced=False)
    assert told(flow.refused_new(other, config_map())) == ["metadata.namespace: Forbidden: not allowed on this type"]
