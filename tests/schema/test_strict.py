"""Fields that a kind does not have, and values of the wrong type, are found as the API server finds them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File

import pytest

from podward.api.json_value import Json, JsonObject
from podward.documents.document import Document
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.schema.scalars import SCALARS
from podward.schema.strict import mistakes, require
from podward.schema.table import KINDS, TYPES
from podward.schema.view import pod_view

ROOT = File(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "validate_shared.jsonl.gz"


def container(**fields: Json) -> Document:
    return Document("f", {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", **fields}]}})


def found(document: Document) -> list[str]:
    return [mistake.what for mistake in mistakes(document)]


def test_every_recorded_answer_about_unknown_fields_and_types_is_given() -> None:
    with gzip.open(GOLDEN, "rt") as file:
        cases = [json.loads(line) for line in file]
    assert len(cases) == 300
    unknown = 0
    for case in cases:
        pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", **case["input"]["pod"]}
        answers = found(Document("f", pod))
        wrong_type = [answer for answer in answers if ": expected" in answer]
        assert bool(wrong_type) == bool(case["expected"].get("decodeError")), case["id"]
        if not wrong_type:
            assert sorted(answers) == sorted(case["expected"]["strictErrors"]), case["id"]
            unknown += len(answers)
            pod_view(pod)
    assert unknown > 5


def test_every_type_in_the_table_exists() -> None:
    codes = {code.lstrip("[{") for fields in TYPES.values() for code in fields.values()}
    assert codes <= {*TYPES, *SCALARS}
    assert {code for code in codes if len(code) == 1} >= set("sbilqotyr")
    assert {name for versions in KINDS.values() for name in versions.values()} <= set(TYPES)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"foo": 1}, 'unknown field "spec.containers[0].foo"'),
        ({"Image": "x"}, 'unknown field "spec.containers[0].Image"'),
        ({"env": [{"name": "a"}, {"nme": "b"}]}, 'unknown field "spec.containers[0].env[1].nme"'),
        ({"image": 5}, "spec.containers[0].image: expected a string, found the number 5"),
        ({"tty": "true"}, 'spec.containers[0].tty: expected true or false, found the string "true"'),
        ({"args": "a"}, 'spec.containers[0].args: expected a list, found the string "a"'),
        ({"args": ["a", 1]}, "spec.containers[0].args[1]: expected a string, found the number 1"),
        (
            {"ports": [{"containerPort": "80"}]},
            'spec.containers[0].ports[0].containerPort: expected a 32-bit integer, found the string "80"',
        ),
        (
            {"ports": [{"containerPort": 2**31}]},
            "spec.containers[0].ports[0].containerPort: expected a 32-bit integer, found the number 2147483648",
        ),
        ({"ports": {}}, "spec.containers[0].ports: expected a list, found an object"),
        (
            {"securityContext": {"runAsUser": 2**63}},
            (
                "spec.containers[0].securityContext.runAsUser: expected a 64-bit integer, found the number"
                " 9223372036854775808"
            ),
        ),
        (
            {"securityContext": {"runAsUser": 1.0}},
            "spec.containers[0].securityContext.runAsUser: expected a 64-bit integer, found the number 1.0",
        ),
        (
            {"securityContext": {"runAsUser": True}},
            "spec.containers[0].securityContext.runAsUser: expected a 64-bit integer, found true",
        ),
        ({"securityContext": []}, "spec.containers[0].securityContext: expected an object, found a list"),
        (
            {"resources": {"limits": {"cpu": "1 core"}}},
            (
                'spec.containers[0].resources.limits[cpu]: expected a quantity such as "100m" or "1.5Gi", found'
                " the string"
                ' "1 core"'
            ),
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 80.5}}},
            (
                "spec.containers[0].livenessProbe.httpGet.port: expected a 32-bit integer or a string, found"
                " the number 80.5"
            ),
        ),
    ],
)
def test_mistakes_in_a_container(fields: JsonObject, what: str) -> None:
    assert found(container(**fields)) == [what]


@pytest.mark.parametrize(
    "fields",
    [
        {"foo": None} | {"image": None, "args": None, "ports": [None]},
        {"args": [None], "env": [{"name": "a", "value": None}]},
        {"resources": {"limits": {"cpu": 1, "memory": "1.5Gi", "x": 0.5, "a": "1e3", "b": "+5", "c": ".5", "d": "5E"}}},
        {"resources": {"limits": {"cpu": ".", "memory": "Gi"}}},
        {"securityContext": {"runAsUser": -(2**63), "runAsGroup": 2**63 - 1}},
        {"livenessProbe": {"httpGet": {"port": "http"}, "terminationGracePeriodSeconds": 2**40}},
    ],
)
def test_what_go_decodes_is_accepted(fields: JsonObject) -> None:
    fields.pop("foo", None)
    assert found(container(**fields)) == []
    pod_view(container(**fields).raw)


@pytest.mark.parametrize("quantity", ["", "abc", "1.2.3", "1Kib", "1e", "1eE", "Ei", "--1", "1 Gi", "1Gi\n"])
def test_what_is_no_quantity(quantity: str) -> None:
    assert len(found(container(resources={"limits": {"cpu": quantity}}))) == 1


@pytest.mark.parametrize(
    ("time", "good"),
    [
        ("2026-01-31T12:00:00Z", True),
        ("2026-01-31T12:00:00.123456789+02:00", True),
        ("2024-02-29T00:00:00Z", True),
        ("2023-02-29T00:00:00Z", False),
        ("2026-13-01T00:00:00Z", False),
        ("2026-01-31", False),
        ("", False),
        ("2026-01-31T24:00:00Z", False),
        ("2026-01-31T12:00:00", False),
        ("2026-01-31T12:00:00.Z", False),
        ("2026-01-31 12:00:00Z", False),
        ("2026-01-31T12:00:0\u0663Z", False),
    ],
)
def test_times(time: str, good: bool) -> None:  # noqa: FBT001  # a table's column
    document = Document("f", {"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": time}})
    assert (found(document) == []) is good


def test_bytes_are_base64() -> None:
    assert (
        found(Document("f", {"apiVersion": "v1", "kind": "Secret", "data": {"a": "Y2Fy\ncm90", "b": "", "c": None}}))
        == []
    )
    assert len(found(Document("f", {"apiVersion": "v1", "kind": "Secret", "data": {"a": "carrot!", "b": 1}}))) == 2


def test_kinds_that_are_not_known_are_not_checked() -> None:
    assert found(Document("f", {"apiVersion": "example.com/v1", "kind": "Pod", "spec": 3})) == []


def test_items_of_a_list_are_checked_each_by_its_kind() -> None:
    text = b"""apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  spec:
    containers:
    - {name: c, foo: 1}
- apiVersion: apps/v1
  kind: Deployment
  spec: {template: {spec: {hostnetwork: true}}}
- {apiVersion: v1, kind: Whatever, x: 1}
"""
    (document,) = decode_documents(text, "f.yaml")
    assert [(m.what, document.where(m.path), m.advice) for m in mistakes(document)] == [
        ('unknown field "spec.containers[0].foo"', "f.yaml:8", ""),
        ('unknown field "spec.template.spec.hostnetwork"', "f.yaml:11", "did you mean hostNetwork?"),
    ]
    with pytest.raises(InputError) as caught:
        require(document)
    assert caught.value.where == "f.yaml:8"
    assert "2 fields do not fit" in caught.value.what
    assert 'f.yaml:11: unknown field "spec.template.spec.hostnetwork"' in caught.value.what


def test_each_of_several_mistakes_has_its_own_advice() -> None:
    document = container(tty="true", image=5, imagePullPolice="Never")
    with pytest.raises(InputError) as caught:
        require(document)
    lines = caught.value.what.splitlines()
    assert lines[1].endswith('found the string "true" (write it without quotes)')
    assert lines[2].endswith("found the number 5 (write it in quotes)")
    assert lines[3].endswith('unknown field "spec.containers[0].imagePullPolice" (did you mean imagePullPolicy?)')
    assert not caught.value.advice


@pytest.mark.parametrize(
    ("kind", "fields", "what"),
    [
        ("Secret", {"stringData": {"pin": 73519735}}, "stringData[pin]: expected a string, found a number"),
        ("Secret", {"stringData": "73519735"}, "stringData: expected an object, found a string"),
        ("Secret", {"data": {"pin": "73519735!"}}, "data[pin]: expected a string in base64, found a string"),
        ("ConfigMap", {"data": {"pin": True}}, "data[pin]: expected a string, found true or false"),
        ("ConfigMap", {"binaryData": {"pin": [1]}}, "binaryData[pin]: expected a string in base64, found a list"),
    ],
)
def test_values_of_secrets_and_config_maps_stand_in_no_message(kind: str, fields: JsonObject, what: str) -> None:
    assert found(Document("f", {"apiVersion": "v1", "kind": kind, **fields})) == [what]


def test_values_of_variables_stand_in_no_message() -> None:
    assert found(container(env=[{"name": "PIN", "value": 73519735}])) == [
        "spec.containers[0].env[0].value: expected a string, found a number"
    ]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_knows_metadata(kind: str) -> None:
    for api_version in KINDS[kind]:
        document = Document("f", {"apiVersion": api_version, "kind": kind, "metadata": {"nme": 1}})
        assert found(document) == ['unknown field "metadata.nme"']
