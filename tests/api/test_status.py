"""What the API server answers when it does not answer with an object."""

from __future__ import annotations

import msgspec

from podward.api import status
from podward.api.admission import GroupResource
from podward.decision import merge
from podward.path import path
from podward.schema.validation.field import invalid, required

DEPLOYMENTS = GroupResource("apps", "deployments")


def test_a_refusal_has_the_members_of_the_real_one_in_its_order() -> None:
    written = status.encoded(status.not_found(DEPLOYMENTS, "x"))
    assert list(msgspec.json.decode(written)) == [
        "kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code"
    ]  # fmt: skip
    assert msgspec.json.decode(written)["message"] == 'deployments.apps "x" not found'


def test_what_is_wrong_with_an_object_is_told_field_by_field_each_once() -> None:
    wrong = invalid(path("spec", "replicas"), -1, "must be 0 or more")
    found = status.invalid("Deployment", "apps", "x", merge(required(path("spec", "selector")), wrong, wrong))
    assert found.message == (
        'Deployment.apps "x" is invalid: [spec.selector: Required value,'
        " spec.replicas: Invalid value: -1: must be 0 or more]"
    )
    assert found.details is not None
    assert [cause.reason for cause in found.details.causes[:2]] == ["FieldValueRequired", "FieldValueInvalid"]


def test_a_success_without_a_code_is_answered_with_200() -> None:
    found = status.success(name="x", resource=DEPLOYMENTS, uid="u")
    assert found.http_code == 200
    assert b'"code"' not in status.encoded(found)


def test_a_list_that_became_too_old_tells_where_it_goes_on() -> None:
    old = status.Status(410, "Expired", "too old", token="abc")  # noqa: S106 - where a list goes on
    assert msgspec.json.decode(status.encoded(old))["metadata"] == {"continue": "abc"}
