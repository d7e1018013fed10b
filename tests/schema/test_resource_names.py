"""Resources are found by what people call them."""

from __future__ import annotations

import pytest

from podward.schema.resource_names import resource_of


@pytest.mark.parametrize(
    ("text", "plural", "group", "namespaced"),
    [
        ("pods", "pods", "", True),
        ("po", "pods", "", True),
        ("Pod", "pods", "", True),
        ("deploy", "deployments", "apps", True),
        ("deployments.apps", "deployments", "apps", True),
        ("deployments.v1.apps", "deployments", "apps", True),
        ("node", "nodes", "", False),
        ("events.events.k8s.io", "events", "events.k8s.io", True),
        ("*", "*", "*", True),
    ],
)
def test_a_resource(text: str, plural: str, group: str, *, namespaced: bool) -> None:
    found = resource_of(text)
    assert (found.plural, found.group, found.namespaced, found.known) == (plural, group, namespaced, True)


@pytest.mark.parametrize(
    ("text", "plural", "group"), [("widgets.example.com", "widgets", "example.com"), ("x", "x", "")]
)
def test_what_no_server_has_of_its_own_is_taken_as_written(text: str, plural: str, group: str) -> None:
    found = resource_of(text)
    assert (found.plural, found.group, found.known) == (plural, group, False)
