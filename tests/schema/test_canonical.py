"""Objects that a real API server answered are in Go's form, and stay as they are on every way through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podward.api.json_value import JsonObject
from podward.schema.bodies import Body, Expected, decode_body
from podward.schema.canonical import MisfitError, canonical, canonical_as_stored
from podward.schema.conversion import as_written
from podward.schema.kinds import type_of
from podward.schema.served_defaults import with_served_defaults

ANSWERS: list[JsonObject] = [
    json.loads(line) for line in Path(__file__).with_name("answers.jsonl").read_text().splitlines()
]
"""One answer of each kind that was recorded."""
NAMES = [f"{answer['kind']}.{answer['apiVersion']}" for answer in ANSWERS]


@pytest.mark.parametrize("answer", ANSWERS, ids=NAMES)
def test_what_a_real_server_answered_stays_as_it_is(answer: JsonObject) -> None:
    api_version, kind = str(answer["apiVersion"]), str(answer["kind"])
    of = type_of(api_version, kind)
    assert of is not None
    assert as_written(of, answer) == answer
    found = decode_body(json.dumps(answer).encode(), "json", Expected(api_version, kind), "Strict")
    assert found == Body(answer)
    looked_at = decode_body(json.dumps(answer).encode(), "yaml", Expected(api_version, kind), "Strict")
    assert looked_at == Body(answer)


@pytest.mark.parametrize("answer", ANSWERS, ids=NAMES)
def test_it_has_all_its_defaults(answer: JsonObject) -> None:
    of = type_of(str(answer["apiVersion"]), str(answer["kind"]))
    assert of is not None
    assert with_served_defaults(of, answer) == answer


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("Pod", {"spec": {"containers": [None]}}),
        ("Pod", {"spec": {"hostNetwork": 1}}),
        ("Pod", {"spec": {"priority": True}}),
        ("Pod", {"spec": {"priority": 1.0}}),
        ("Pod", {"metadata": {"labels": {"a": 1}}}),
        ("Pod", {"unknown": None}),
        ("Secret", {"data": {"a": "="}}),
        ("Lease", {"spec": {"renewTime": "2026-01-01T00:00:00Z"}}),
        ("CustomResourceDefinition", {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"items": 1}}}]}}),
    ],
)
def test_what_does_not_fit_is_no_such_object(of: str, value: JsonObject) -> None:
    with pytest.raises(MisfitError):
        canonical(value, of)


def test_an_empty_list_that_is_written_always_is_somebodys_until_it_is_stored() -> None:
    role: JsonObject = {"metadata": {}, "rules": []}
    assert canonical(role, "ClusterRole")["rules"] == []
    assert canonical_as_stored(role, "ClusterRole")["rules"] is None
