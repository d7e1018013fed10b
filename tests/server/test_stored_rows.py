"""The rows that are made straight from what is stored are those that are made of whole objects."""

from __future__ import annotations

import json

import pytest

from podward.api.json_value import JsonObject
from podward.schema.resources import BY_KIND, BY_PLURAL
from podward.server.encoding import decoded, stored_bytes
from podward.server.tables.stored_rows import list_table
from podward.server.tables.table import table_of
from podward.store.interface import Stored

META: JsonObject = {
    "name": "a", "namespace": "b", "uid": "c", "creationTimestamp": "2020-01-01T00:00:00Z", "labels": {"x": "y"},
    "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
}  # fmt: skip
GOING: JsonObject = {**META, "deletionTimestamp": "2020-01-02T00:00:00Z"}
OWNED: JsonObject = {**META, "ownerReferences": [{"kind": "Deployment", "name": "d", "controller": True}]}
STATES: list[JsonObject] = [
    {
        "phase": "Running",
        "podIPs": [{"ip": "10.0.0.1"}],
        "containerStatuses": [{"name": "c", "ready": True, "state": {"running": {}}}],
    },
    {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]},
    {"phase": "Failed", "reason": "Evicted"},
    {
        "phase": "Pending",
        "initContainerStatuses": [{"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "Oops"}}}],
    },
    {"phase": "Running", "nominatedNodeName": "n", "containerStatuses": None},
]
SPEC: JsonObject = {
    "containers": [{"name": "c", "image": "i"}], "nodeName": "n", "readinessGates": [{"conditionType": "g"}],
    "initContainers": [{"name": "i", "image": "j", "restartPolicy": "Always"}],
}  # fmt: skip
PODS: list[JsonObject] = [
    {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": SPEC, "status": state} for state in STATES
]
OBJECTS: list[JsonObject] = [
    *PODS,
    {"apiVersion": "v1", "kind": "Pod", "metadata": GOING, "spec": {"containers": None}},
    {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": {"containers": [{"name": 5}]}, "status": {}},
    {"apiVersion": "v1", "kind": "Secret", "metadata": META, "data": {"a": "", "b": ""}, "type": "Opaque"},
    {"apiVersion": "v1", "kind": "Node", "metadata": META, "spec": {}, "status": {"conditions": []}},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": GOING, "spec": {}, "status": {"phase": "Bound"}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": META, "spec": {"replicas": 3}, "status": {}},
    {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": OWNED, "revision": 4},
    {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": META, "provisioner": "p"},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**META, "labels": None}, "data": {"a": "b"}},
]


@pytest.mark.parametrize("obj", OBJECTS, ids=lambda obj: str(obj["kind"]))
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_rows_are_the_same(obj: JsonObject, version: str) -> None:
    resource = BY_KIND[str(obj["apiVersion"]), str(obj["kind"])]
    stored = Stored("/registry/a", stored_bytes(resource, obj), 57, 5)
    of: JsonObject = {"resourceVersion": "57"}
    found = json.loads(list_table(resource, [stored, stored], of, version))
    assert found == json.loads(json.dumps(table_of(resource, [decoded(stored)] * 2, of, {}, version)))
    assert found["rows"][0]["object"]["metadata"]["resourceVersion"] == "57"


def test_what_is_stored_is_escaped_as_go_escapes_it() -> None:
    obj: JsonObject = {"metadata": {"name": "r"}, "data": {"command": "a 2>&1 < b \u2028"}}
    value = stored_bytes(BY_PLURAL["apps", "v1", "controllerrevisions"], obj)
    assert b'{"command":"a 2\\u003e\\u00261 \\u003c b \\u2028"}' in value
    assert decoded(Stored("/registry/r", value, 1, 1))["data"] == obj["data"]
