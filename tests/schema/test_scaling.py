"""The Scale of workloads and custom resources."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.schema.scaling import (
    ScalePaths,
    fault_of,
    managed_scale_of,
    missing_replicas,
    scale_of,
    scaled,
    selector_text,
)

FIELDS: Json = {"f:spec": {"f:replicas": {}}}
OWNER: JsonObject = {
    "manager": "m", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": FIELDS,
}  # fmt: skip
DEPLOYMENT: JsonObject = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "uid": "u", "resourceVersion": "7", "labels": {"a": "b"}, "managedFields": [OWNER]},
    "spec": {"replicas": 2, "paused": True, "selector": {"matchLabels": {"b": "1", "a": "2"}}},
    "status": {"replicas": 1},
}


def test_a_scale_has_the_names_and_replicas_of_its_object() -> None:
    assert scale_of(DEPLOYMENT) == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": "d", "uid": "u", "resourceVersion": "7"},
        "spec": {"replicas": 2},
        "status": {"replicas": 1, "selector": "a=2,b=1"},
    }


def test_a_written_scale_changes_the_replicas_alone() -> None:
    scale = managed_scale_of(DEPLOYMENT)
    assert member(scale, "metadata")["managedFields"] == [{**OWNER, "apiVersion": "autoscaling/v1"}]
    made = scaled(DEPLOYMENT, {**scale, "spec": {"replicas": 5}})
    assert made == {**DEPLOYMENT, "spec": {**member(DEPLOYMENT, "spec"), "replicas": 5}}
    assert member(scaled(DEPLOYMENT, {"metadata": {}}), "spec")["replicas"] == 0


def test_replicas_are_not_negative() -> None:
    assert fault_of({"spec": {"replicas": -1}}) == "Invalid value: -1: must be greater than or equal to 0"
    assert fault_of({"spec": {}}) == ""


def test_a_custom_resource_says_where_its_replicas_are() -> None:
    paths = ScalePaths(("spec", "size", "n"), ("status", "n"), ("status", "selector"), {"g/v1": ("spec", "size", "n")})
    obj: JsonObject = {
        "apiVersion": "g/v1",
        "metadata": {},
        "spec": {"size": {"n": 3, "x": 1}},
        "status": {"selector": "a=b"},
    }
    assert scale_of(obj, paths)["status"] == {"replicas": 0, "selector": "a=b"}
    assert member(scaled(obj, {"spec": {"replicas": 4}}, paths), "spec") == {"size": {"n": 4, "x": 1}}
    assert missing_replicas(obj, paths) == ""
    assert missing_replicas({}, paths) == 'the spec replicas field ".spec.size.n" does not exist'


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ({}, ""),
        ({"app": "x"}, "app=x"),
        ({"matchExpressions": [{"key": "k", "operator": "In", "values": ["b", "a"]}]}, "k in (a,b)"),
        ({"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["b"]}]}, "k notin (b)"),
        (
            {
                "matchLabels": {"z": "1"},
                "matchExpressions": [{"key": "k", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}],
            },
            "!a,k,z=1",
        ),
    ],
)
def test_a_selector_as_text(selector: Json, text: str) -> None:
    assert selector_text(selector) == text
