"""managedFields of custom resources, by what their definition says."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.conflicts import Conflicts
from podward.schema.apply.field_set import FieldSet
from podward.schema.apply.kind_versions import custom_versions
from podward.schema.apply.managed import Applied, Write, after_apply, after_update
from podward.schema.apply.reset_fields import custom_filter
from podward.schema.scaling import ScalePaths, custom_paths

PARTS: Json = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}},
}
SCHEMA: Json = {
    "type": "object",
    "properties": {
        "spec": {"type": "object", "properties": {"size": {"type": "integer"}, "parts": PARTS}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}},
    },
}
SCALE: Json = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}
DEFINITION: JsonObject = {
    "spec": {
        "group": "g.example.com",
        "versions": [
            {"name": "v1", "schema": {"openAPIV3Schema": SCHEMA}, "subresources": {"scale": SCALE}},
            {"name": "v1beta1", "schema": {"openAPIV3Schema": SCHEMA}},
        ],
    }
}
VERSIONS = custom_versions(DEFINITION)


def write(manager: str, subresource: str = "", version: str = "v1") -> Write:
    keep = custom_filter(subresource, has_status=True)
    return Write(VERSIONS, "Cake", f"g.example.com/{version}", manager, "2026-01-01T00:00:00Z", subresource, keep)


def cake(version: str = "v1", **fields: Json) -> JsonObject:
    return {"apiVersion": f"g.example.com/{version}", "kind": "Cake", "metadata": {"name": "c", "uid": "u"}, **fields}


def owned(value: JsonObject, at: int = 0) -> Json:
    metadata = value["metadata"]
    assert isinstance(metadata, dict)
    entries = metadata["managedFields"]
    assert isinstance(entries, list)
    entry = entries[at]
    assert isinstance(entry, dict)
    return entry["fieldsV1"]


def test_of_a_custom_resource_every_level_that_is_new_is_owned() -> None:
    made = after_update(
        write("one"), None, cake(spec={"size": 1, "parts": [{"name": "a", "n": 1}]}, status={"phase": "x"})
    )
    expected: FieldSet = {
        "f:spec": {
            ".": {},
            "f:parts": {".": {}, 'k:{"name":"a"}': {".": {}, "f:n": {}, "f:name": {}}},
            "f:size": {},
        }
    }
    assert owned(made) == expected


def test_another_version_knows_who_owns_what() -> None:
    first = after_apply(write("one"), None, cake(spec={"size": 1}), force=False)
    assert isinstance(first, Applied)
    live = VERSIONS.convert(first.object, "g.example.com/v1beta1")
    refused = after_apply(write("two", version="v1beta1"), live, cake("v1beta1", spec={"size": 2}), force=False)
    assert isinstance(refused, Conflicts)
    assert refused.message == 'Apply failed with 1 conflict: conflict with "one": .spec.size'


def test_the_status_belongs_to_its_writer() -> None:
    made = after_update(write("one"), None, cake(spec={"size": 1}))
    seen = after_update(write("ctl", "status"), made, {**made, "status": {"phase": "x"}, "spec": {}})
    assert owned(seen, 0) == {"f:status": {".": {}, "f:phase": {}}}
    assert owned(seen, 1) == owned(made)


def test_a_definition_says_where_the_replicas_are() -> None:
    assert custom_paths(DEFINITION) == {
        "g.example.com/v1": ScalePaths(
            ("spec", "size"),
            ("status", "size"),
            (),
            {"g.example.com/v1": ("spec", "size"), "g.example.com/v1beta1": ()},
        )
    }
