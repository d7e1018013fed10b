"""No value of a Secret, and no token, is left of a body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.access.audit.blanking import UNTOLD, blank_of, kept_annotations, refusal, without_managers
from podward.api import status
from podward.api.admission import GroupResource
from podward.api.authorization import Attributes
from podward.api.caller import User
from podward.api.json_value import Json, JsonObject

SECRETS = Attributes(User("alice"), "get", "", "secrets")
HIDDEN = "hunter2"
SECRET: JsonObject = {
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {
        "name": "db",
        "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": f'{{"data":"{HIDDEN}"}}'},
    },
    "data": {"password": HIDDEN},
    "stringData": {"password": HIDDEN},
    "type": "Opaque",
}


def blanked(body: Json, wanted: Attributes = SECRETS) -> Json:
    blank = blank_of(wanted)
    assert blank is not None
    return blank(body)


def test_of_a_secret_the_names_of_its_values_are_told() -> None:
    assert blanked(SECRET) == {
        "kind": "Secret",
        "apiVersion": "v1",
        "metadata": {
            "name": "db",
            "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": ""},
        },
        "data": {"password": ""},
        "stringData": {"password": ""},
        "type": "Opaque",
    }


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "SecretList", "items": [SECRET]},
        {"kind": "Table", "rows": [{"cells": ["db"], "object": SECRET}]},
        {"data": HIDDEN},
        {"dat": {"password": [HIDDEN]}},
        [{"op": "add", "path": "/data/password", "value": HIDDEN}],
        [{"op": "add", "path": "/data", "value": {"password": HIDDEN}}],
        HIDDEN,
        {"metadata": HIDDEN},
        {"items": [HIDDEN]},
    ],
)
def test_nothing_of_it_is_left_in_any_body(body: Json) -> None:
    assert HIDDEN not in json.dumps(blanked(body))


@given(
    st.recursive(
        st.just(HIDDEN), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=5
    ),
    st.sampled_from(["data", "stringData", "odd"]),
)
def test_wherever_in_it_the_value_stands(value: Json, name: str) -> None:
    assert HIDDEN not in json.dumps(blanked({**SECRET, name: value}))
    assert HIDDEN not in json.dumps(blanked({"items": [{**SECRET, name: value}]}))


def test_tokens_are_not_told() -> None:
    review = Attributes(User("alice"), "create", "authentication.k8s.io", "tokenreviews")
    asked: JsonObject = {"spec": {"token": HIDDEN, "audiences": ["a"]}}
    assert blanked(asked, review) == {"spec": {"token": "", "audiences": ["a"]}}
    request = Attributes(User("alice"), "create", "", "serviceaccounts", "token")
    assert blanked({"status": {"token": HIDDEN}}, request) == {"status": {"token": ""}}


def test_other_bodies_are_told_as_they_are() -> None:
    assert blank_of(Attributes(User("alice"), "get", "", "configmaps")) is None
    assert blank_of(Attributes(User("alice"), "get", "other.example", "secrets")) is None


def test_a_refusal_does_not_quote_the_body() -> None:
    quoting = status.bad_request(f"json parse error: invalid character ({HIDDEN})")
    assert refusal(quoting).message == UNTOLD
    invalid = status.invalid_for("Secret", "", "db", [("data[a]", f"Invalid value: {HIDDEN}")])
    told = refusal(invalid)
    assert HIDDEN not in repr(told)
    assert told.details is not None
    assert told.details.name == "db"
    missing = status.not_found(GroupResource("", "secrets"), "db")
    assert refusal(missing) == missing


def test_what_a_webhook_changed_in_it_is_not_told() -> None:
    found = {"patch.webhook.admission.k8s.io/round_0_index_0": HIDDEN, "authorization.k8s.io/decision": "allow"}
    assert kept_annotations(found) == {"authorization.k8s.io/decision": "allow"}


def test_managed_fields_are_left_out_of_objects_lists_and_tables() -> None:
    pod: JsonObject = {"metadata": {"name": "a", "managedFields": [{}]}, "spec": {}}
    bare: JsonObject = {"metadata": {"name": "a"}, "spec": {}}
    assert without_managers(pod) == bare
    assert without_managers({"items": [pod]}) == {"items": [bare]}
    assert without_managers({"rows": [{"cells": [], "object": pod}]}) == {"rows": [{"cells": [], "object": bare}]}
    assert without_managers("text") == "text"
