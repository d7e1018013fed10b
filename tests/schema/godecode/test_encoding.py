"""A decoded Pod as Go writes it again."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.schema.godecode.encoding import encode


def test_what_has_no_omitempty_is_always_written() -> None:
    assert encode({}, "Pod") == {"metadata": {}, "spec": {}, "status": {}}
    assert encode({"name": "c"}, "Container") == {"name": "c", "resources": {}}


def test_empty_values_are_left_out_where_the_tag_says_so() -> None:
    spec: JsonObject = {"containers": [], "hostNetwork": False, "nodeName": "", "volumes": [], "nodeSelector": {}}
    assert encode(spec, "PodSpec") == {"containers": []}


def test_a_pointer_keeps_its_zero() -> None:
    assert encode({"runAsUser": 0, "runAsNonRoot": False}, "SecurityContext") == {
        "runAsUser": 0,
        "runAsNonRoot": False,
    }
    assert encode({"emptyDir": {}, "name": "v"}, "Volume") == {"name": "v", "emptyDir": {}}


def test_quantities_are_written_canonically() -> None:
    resources: JsonObject = {"limits": {"cpu": "1000m", "memory": "0.1m"}}
    assert encode(resources, "ResourceRequirements") == {"limits": {"cpu": "1", "memory": "1m"}}
    assert encode({"sizeLimit": "1024Mi"}, "EmptyDirVolumeSource") == {"sizeLimit": "1Gi"}


def test_only_a_resource_list_was_rounded_by_defaulting() -> None:
    claim: JsonObject = {"resourceClaimName": "c", "resources": {"cpu": "1n"}}
    assert encode(claim, "NodeAllocatableResourceClaimStatus") == claim


def test_times_are_written_in_utc() -> None:
    made = encode({"creationTimestamp": "2024-01-01T00:30:00+01:00"}, "ObjectMeta")
    assert made == {"creationTimestamp": "2023-12-31T23:30:00Z"}
