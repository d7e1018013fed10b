"""Managers that wrote in different versions of one kind."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.conflicts import Conflicts
from podward.schema.apply.kind_versions import builtin_versions
from podward.schema.apply.managed import Applied, Write, after_apply, after_update
from podward.schema.apply.reset_fields import builtin_filter

KIND = "HorizontalPodAutoscaler"
NEW, OLD = "autoscaling/v2", "autoscaling/v1"


def write(version: str, manager: str) -> Write:
    keep = builtin_filter("horizontalpodautoscalers.autoscaling", "")
    return Write(builtin_versions(version, KIND), KIND, version, manager, "2026-01-01T00:00:00Z", "", keep)


def autoscaler(version: str, **spec: Json) -> JsonObject:
    target: JsonObject = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    return {
        "apiVersion": version,
        "kind": KIND,
        "metadata": {"name": "h", "uid": "u"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3, **spec},
    }


def owners(value: JsonObject) -> dict[str, Json]:
    metadata = value["metadata"]
    assert isinstance(metadata, dict)
    listed = metadata["managedFields"]
    assert isinstance(listed, list)
    return {
        f"{entry['manager']} {entry['apiVersion']}": entry["fieldsV1"] for entry in listed if isinstance(entry, dict)
    }


def test_a_change_in_one_version_takes_the_field_from_who_owns_it_in_another() -> None:
    made = after_update(write(NEW, "one"), None, autoscaler(NEW, minReplicas=1))
    old = builtin_versions(OLD, KIND).convert(made, OLD)
    spec = old["spec"]
    assert isinstance(spec, dict)
    changed = after_update(write(OLD, "two"), old, {**old, "spec": {**spec, "minReplicas": 2}})
    found = owners(changed)
    assert found["two autoscaling/v1"] == {"f:spec": {"f:minReplicas": {}}}
    assert found["one autoscaling/v2"] == {
        "f:spec": {"f:maxReplicas": {}, "f:scaleTargetRef": {"f:apiVersion": {}, "f:kind": {}, "f:name": {}}}
    }


def test_applying_in_another_version_conflicts_and_lets_go_of_what_was_applied_in_the_first() -> None:
    first = after_apply(write(NEW, "one"), None, autoscaler(NEW, minReplicas=1), force=False)
    assert isinstance(first, Applied)
    old = builtin_versions(OLD, KIND).convert(first.object, OLD)
    refused = after_apply(write(OLD, "two"), old, autoscaler(OLD, minReplicas=2), force=False)
    assert isinstance(refused, Conflicts)
    assert refused.message == 'Apply failed with 1 conflict: conflict with "one": .spec.minReplicas'
    again = after_apply(write(OLD, "one"), old, autoscaler(OLD), force=False)
    assert isinstance(again, Applied)
    spec = again.object["spec"]
    assert isinstance(spec, dict)
    assert "minReplicas" not in spec
    assert owners(again.object) == {"one autoscaling/v1": {"f:spec": {"f:maxReplicas": {}, "f:scaleTargetRef": {}}}}
