"""Custom objects by their schemas: pruned, defaulted, matched, told."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.body_reading import NoMetadataError
from podward.schema.cel.patterns import contains
from podward.schema.custom_objects.defaulting import with_defaults
from podward.schema.custom_objects.embedded import coerced, faults_in
from podward.schema.custom_objects.formats import matches_format
from podward.schema.custom_objects.json_paths import first_at
from podward.schema.custom_objects.list_types import twice
from podward.schema.custom_objects.matching import faults_of
from podward.schema.custom_objects.naming import condition, named
from podward.schema.custom_objects.pruning import pruned_object
from podward.schema.custom_objects.rules import Rules


def _of(**properties: Json) -> JsonObject:
    return {"type": "object", "properties": properties}


def test_unknown_fields_go_and_their_places_are_told() -> None:
    schema = _of(free={"type": "object", "x-kubernetes-preserve-unknown-fields": True}, list={"items": _of(a={})})
    sent: JsonObject = {"kind": "K", "free": {"x": {"y": 1}}, "list": [{"a": 1, "b": 2}], "z": 1}
    made, gone = pruned_object(sent, schema)
    assert made == {"kind": "K", "free": {"x": {"y": 1}}, "list": [{"a": 1}]}
    assert gone == ["list[0].b", "z"]


def test_defaults_fill_what_is_missing_or_null_and_other_nulls_go() -> None:
    schema = _of(a={"default": "x"}, b={"type": "string"}, c={"nullable": True})
    assert with_defaults({"a": None, "b": None, "c": None}, schema) == {"a": "x", "c": None}
    assert with_defaults({}, schema) == {"a": "x"}


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        ({"type": "integer"}, "3", 'Invalid value: "string": f in body must be of type integer: "string"'),
        ({"minimum": 1}, 0, "Invalid value: 0: f in body should be greater than or equal to 1"),
        ({"maximum": 1, "exclusiveMaximum": True}, 1, "Invalid value: 1: f in body should be less than 1"),
        ({"enum": ["a", 1]}, "b", 'Unsupported value: "b": supported values: "a", "1"'),
        ({"maxLength": 1}, "bb", "Too long: may not be more than 1 bytes"),
        ({"pattern": "^a$"}, "a\n", "Invalid value: \"a\\n\": f in body should match '^a$'"),
        ({"maxItems": 1}, [1, 2], "Too many: 2: must have at most 1 item"),
        ({"format": "date"}, "x", 'Invalid value: "x": f in body must be of type date: "x"'),
    ],
)
def test_what_does_not_match_is_told_as_the_server_tells_it(schema: JsonObject, value: Json, error: str) -> None:
    assert faults_of({"f": value}, _of(f=schema)) == [("f", error)]


def test_nothing_stands_in_a_set_or_a_map_twice() -> None:
    schema = _of(s={"x-kubernetes-list-type": "set"}, m={"x-kubernetes-list-type": "map"})
    schema["properties"]["m"]["x-kubernetes-list-map-keys"] = ["k"]  # type: ignore[index,call-overload]  # JSON
    found = twice({"s": ["a", "a"], "m": [{"k": 1}, {"k": 1, "z": 2}]}, schema)
    assert found == [("s[1]", 'Duplicate value: "a"'), ("m[1]", 'Duplicate value: {"k":1}')]


def test_rules_refuse_and_one_that_cannot_be_evaluated_refuses() -> None:
    rules: Json = [{"rule": "self.a > 1", "message": "too few"}]
    assert Rules({**_of(a={"type": "integer"}), "x-kubernetes-validations": rules}).asked({"a": 1}, None).faults == [
        ("<nil>", "Invalid value: too few")
    ]
    unknown: Json = [{"rule": "nonsense(self)"}]
    assert Rules({**_of(a={}), "x-kubernetes-validations": unknown}).asked({"a": 1}, None).faults


def test_rules_of_changes_are_asked_of_changes_only() -> None:
    rules: Json = [{"rule": "self == oldSelf", "reason": "FieldValueForbidden", "message": "fixed"}]
    asked = Rules(_of(a={"type": "integer", "x-kubernetes-validations": rules}))
    assert asked.asked({"a": 1}, None).faults == []
    assert asked.asked({"a": 1}, {"a": 2}).faults == [("a", "Forbidden: fixed")]


def test_patterns_are_matched_in_linear_time() -> None:
    assert not contains("a" * 5000 + "b", "^(a+)+$")


def test_paths_lead_to_fields_items_and_filtered_items() -> None:
    value: JsonObject = {"c": [{"type": "A", "status": "no"}, {"type": "Ready", "status": "yes"}]}
    assert first_at(value, '.c[?(@.type=="Ready")].status') == "yes"
    assert first_at(value, ".c[0].type") == "A"
    assert first_at(value, ".none.there") is None


def test_names_that_another_definition_has_are_not_accepted() -> None:
    names: JsonObject = {"plural": "cakes", "singular": "cake", "kind": "Cake", "listKind": "CakeList"}
    other: JsonObject = {"spec": {"group": "g.io", "names": names}, "status": {"acceptedNames": names}}
    new: JsonObject = {"spec": {"group": "g.io", "names": {**names, "plural": "pies", "singular": "pie"}}}
    made = named(new, [other], "now")
    assert condition(made, "NamesAccepted")["reason"] == "ListKindConflict"
    assert condition(made, "Established")["status"] == "False"
    assert condition(named(new, [], "now"), "Established")["status"] == "True"


def test_times_are_times_in_rules() -> None:
    rules: list[Json] = [
        {"rule": "!has(self.to) || self.start < self.to", "messageExpression": "string(self.start.getFullYear())"}
    ]
    moment: JsonObject = {"type": "string", "format": "date-time"}
    schema: JsonObject = {**_of(start=moment, to=moment, span={"type": "string", "format": "duration"})}
    asked = Rules({**schema, "x-kubernetes-validations": rules})
    assert asked.asked({"start": "2020-01-01T00:00:00Z", "to": "2021-01-01T00:00:00+01:00"}, None).faults == []
    found = asked.asked({"start": "2022-01-01T00:00:00Z", "to": "2021-01-01T00:00:00Z"}, None).faults
    assert found == [("<nil>", "Invalid value: 2022")]
    spans = Rules({**schema, "x-kubernetes-validations": [{"rule": "self.span > duration('1h')"}]})
    assert spans.asked({"span": "2h"}, None).faults == []
    assert spans.asked({"span": "1m"}, None).faults


def test_what_was_as_wrong_before_is_warned_of() -> None:
    wrong: JsonObject = {"type": "integer", "x-kubernetes-validations": [{"rule": "self > 1", "message": "small"}]}
    asked = Rules(_of(a=wrong, b={"type": "integer"})).asked({"a": 1, "b": 2}, {"a": 1, "b": 1})
    assert (asked.faults, asked.warnings) == ([], ["a: Invalid value: 1: small"])
    assert Rules(_of(a=wrong)).asked({"a": 0}, {"a": 1}).faults == [("a", "Invalid value: 0: small")]


def test_objects_inside_have_sound_metadata() -> None:
    inside: JsonObject = {"type": "object", "x-kubernetes-embedded-resource": True}
    schema: JsonObject = {"type": "object", "properties": {"pods": {"type": "array", "items": inside}}}
    made, gone = coerced({"pods": [{"kind": "X", "metadata": {"name": "a", "odd": 1}}]}, schema)
    assert made == {"pods": [{"kind": "X", "metadata": {"name": "a"}}]}
    assert gone == ["pods[0].metadata.odd"]
    with pytest.raises(NoMetadataError, match=r"pods\[0\].metadata: Invalid value: 5"):
        coerced({"pods": [{"metadata": 5}]}, schema)
    assert [str(each.path) for each in faults_in(made, schema).violations] == ["pods[0].apiVersion"]


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("email", "A <a@b.c>", "a"),
        ("uri", "/a b", "a"),
        ("hostname", "a.bc", "a_b"),
        ("ipv4", "01.2.3.4", "1.2.3"),
        ("isbn", "0321751043", "0321751044"),
        ("creditcard", "4111-1111-1111-1111", "4111111111111112"),
        ("rgbcolor", "rgb(1,2,255)", "rgb(1,2,256)"),
        ("k8s-short-name", "a", "A"),
        ("duration", "3 sec", "x"),
        ("date-time", "2020-01-01t00:00:00z", "2020-01-01 00:00:00Z"),
        ("nobody-knows", "anything", None),
    ],
)
def test_formats_are_those_of_the_api_server(form: str, good: str, bad: str | None) -> None:
    assert matches_format(form, good)
    assert bad is None or not matches_format(form, bad)


@pytest.mark.parametrize(
    ("annotation", "status", "message"),
    [
        ("unapproved, a test", "False", 'not approved: "unapproved, a test"'),
        ("https://example.com/1", "True", "approved in https://example.com/1"),
    ],
)
def test_an_api_of_kubernetes_own_groups_says_whether_it_is_approved(
    annotation: str, status: str, message: str
) -> None:
    definition: JsonObject = {
        "metadata": {"annotations": {"api-approved.kubernetes.io": annotation}},
        "spec": {"group": "new.k8s.io", "names": {"plural": "as", "kind": "A"}},
    }
    found = condition(named(definition, [], "now"), "KubernetesAPIApprovalPolicyConformant")
    assert (found["status"], found["message"]) == (status, message)
