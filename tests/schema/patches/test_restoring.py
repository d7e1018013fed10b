"""What Go says of an object that a strategic merge patch made, if it is none of its kind."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json
from podward.schema.patches.restoring import misfit


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"spec": {"replicas": "three"}}, "unrecognized type: int32"),
        ({"spec": {"replicas": 1.5}}, "cannot convert float64 to int32"),
        ({"spec": {"replicas": 2.0, "paused": None}}, ""),
        ({"spec": {"replicas": True}}, "unrecognized type: int32"),
        ({"spec": {"paused": 1}}, "unrecognized type: bool"),
        ({"metadata": {"labels": [1]}}, "cannot restore map from slice"),
        ({"metadata": {"labels": {"a": 1}}}, "cannot convert int64 to string"),
        ({"metadata": {"labels": {"a": True}}}, "unrecognized type: string"),
        ({"metadata": {"finalizers": {}}}, "cannot restore slice from map"),
        ({"spec": []}, "cannot restore struct from: slice"),
        ({"spec": {"template": {"spec": {"dnsPolicy": 1}}}}, "cannot convert int64 to v1.DNSPolicy"),
        ({"spec": {"template": {"spec": {"containers": ["x"]}}}}, "cannot restore struct from: string"),
        ({"spec": {"unknown": 1}}, ""),
    ],
)  # fmt: skip
def test_the_first_value_that_does_not_fit(value: Json, sentence: str) -> None:
    assert misfit("Deployment", value) == sentence
