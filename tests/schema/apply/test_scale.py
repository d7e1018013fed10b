"""managedFields of a Scale, and what writes reset."""

from __future__ import annotations

from podward.api.json_value import Json
from podward.schema.apply.field_set import FieldSet
from podward.schema.apply.reset_fields import builtin_filter, custom_filter
from podward.schema.apply.scale import WORKLOADS, of_object, of_scale


def entry(
    manager: str, fields: Json, version: str = "apps/v1", operation: str = "Update", subresource: str = ""
) -> Json:
    found: dict[str, Json] = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "fieldsType": "FieldsV1",
    }
    return {**found, "fieldsV1": fields, **({"subresource": subresource} if subresource else {})}


REPLICAS: Json = {"f:spec": {"f:replicas": {}}}
USER = entry("user", {"f:spec": {"f:replicas": {}, "f:paused": {}}})
OTHER = entry("other", {"f:spec": {"f:paused": {}}})


def test_who_owns_the_replicas_owns_those_of_the_scale() -> None:
    assert of_scale([USER, OTHER], WORKLOADS) == [entry("user", REPLICAS, "autoscaling/v1")]


def test_who_writes_the_scale_takes_the_replicas() -> None:
    scaled = entry("scaler", REPLICAS, "autoscaling/v1", subresource="scale")
    assert of_object([USER, OTHER], [scaled], "apps/v1", WORKLOADS) == [
        OTHER,
        entry("scaler", REPLICAS, subresource="scale"),
        entry("user", {"f:spec": {"f:paused": {}}}),
    ]


def test_who_applied_the_replicas_keeps_them_if_the_scale_does_not_change() -> None:
    applier = entry("user", {"f:spec": {"f:paused": {}, "f:replicas": {}}}, operation="Apply")
    assert of_object([applier, OTHER], of_scale([applier, OTHER], WORKLOADS), "apps/v1", WORKLOADS) == [applier, OTHER]


def test_a_write_of_the_status_owns_nothing_else_and_other_subresources_own_all() -> None:
    found: FieldSet = {"f:spec": {"f:nodeName": {}}, "f:status": {}, "f:metadata": {"f:ownerReferences": {}}}
    status = builtin_filter("pods", "status")
    assert status is not None
    assert status(found) == {"f:status": {}}
    assert builtin_filter("pods", "ephemeralcontainers") is None


def test_a_custom_resource_without_a_status_of_its_own_resets_nothing() -> None:
    whole: FieldSet = {"f:spec": {}, "f:status": {}, "f:metadata": {"f:labels": {}}}
    assert custom_filter("", has_status=False) is None
    main, status = custom_filter("", has_status=True), custom_filter("status", has_status=True)
    assert main is not None
    assert status is not None
    assert main(whole) == {"f:spec": {}, "f:metadata": {"f:labels": {}}}
    assert status(whole) == {"f:status": {}}
