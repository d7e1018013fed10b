"""The sentences of a refusal, as Go prints them."""

from __future__ import annotations

import pytest

from podward.policy.scc import refusal
from podward.schema.view import pod_view


def test_the_pod_is_named_by_its_name_or_by_what_its_name_begins_with() -> None:
    assert refusal.forbidden(pod_view({"metadata": {"name": "a", "generateName": "b-"}}), "x") == (
        'pods "a" is forbidden: x'
    )
    assert refusal.forbidden(pod_view({"metadata": {"generateName": "b-"}}), "x") == 'pods "b-" is forbidden: x'
    assert refusal.forbidden(pod_view({"metadata": {"name": ""}}), "x") == 'pods "Unknown" is forbidden: x'


@pytest.mark.parametrize(
    ("errors", "admitting", "validating"),
    [
        ([], "<nil>", "[]"),
        (["a"], "a", "[a]"),
        (["a", "b"], "[a, b]", "[a b]"),
        (["a", "b", "a"], "[a, b]", "[a b a]"),
        (["a", "a"], "a", "[a a]"),
    ],
)
def test_the_passes_print_their_errors_in_two_ways(errors: list[str], admitting: str, validating: str) -> None:
    before = "unable to validate against any security context constraint: "
    assert refusal.unable_to_admit(errors) == before + admitting
    assert refusal.unable_to_validate(errors) == before + validating


def test_names_are_quoted_as_go_quotes_them() -> None:
    assert refusal.not_usable('a"\n') == 'provider "a\\"\\n": Forbidden: not usable by user or serviceaccount'
    assert refusal.required_not_found("nope") == (
        'failed to retrieve the required SCC "nope": securitycontextconstraints.security.openshift.io "nope" not found'
    )
    assert refusal.namespace_not_found("web") == 'error fetching namespace "web": namespace "web" not found'


def test_missing_sccs_are_listed_in_order() -> None:
    assert refusal.missing({"restricted", "anyuid"}) == (
        "securitycontextconstraints.security.openshift.io cache is missing anyuid, restricted"
    )
