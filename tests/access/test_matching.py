"""Which requests a rule of RBAC covers."""

from __future__ import annotations

import pytest

from podward.access.matching import covers
from podward.access.objects import PolicyRule
from podward.api.authorization import Attributes
from podward.api.caller import User

ALICE = User("alice")
PODS = PolicyRule(verbs=("get", "list"), api_groups=("",), resources=("pods", "pods/log"))


@pytest.mark.parametrize(
    ("wanted", "covered"),
    [
        (Attributes(ALICE, "get", resource="pods"), True),
        (Attributes(ALICE, "get", resource="pods", name="web", namespace="shop"), True),
        (Attributes(ALICE, "delete", resource="pods"), False),
        (Attributes(ALICE, "Get", resource="pods"), False),
        (Attributes(ALICE, "get", "apps", "pods"), False),
        (Attributes(ALICE, "get", resource="pods", subresource="log"), True),
        (Attributes(ALICE, "get", resource="pods", subresource="exec"), False),
        (Attributes(ALICE, "get", resource="services"), False),
        (Attributes(ALICE, "get", path="/healthz"), False),
    ],
)
def test_verbs_groups_and_resources(wanted: Attributes, *, covered: bool) -> None:
    assert covers(PODS, wanted) is covered


@pytest.mark.parametrize(
    ("resources", "resource", "subresource", "covered"),
    [
        (("*",), "pods", "", True),
        (("*",), "pods", "exec", True),
        (("*/exec",), "pods", "exec", True),
        (("*/exec",), "pods", "", False),
        (("*/exec",), "pods", "xec", False),
        (("pods/*",), "pods", "exec", False),
        (("pods",), "pods", "exec", False),
        (("pods/exec",), "pods", "", False),
        ((), "pods", "", False),
    ],
)
def test_resources_and_subresources(
    resources: tuple[str, ...], resource: str, subresource: str, *, covered: bool
) -> None:
    rule = PolicyRule(verbs=("*",), api_groups=("*",), resources=resources)
    assert covers(rule, Attributes(ALICE, "create", "any", resource, subresource)) is covered


@pytest.mark.parametrize(
    ("names", "name", "covered"),
    [(None, "", True), ((), "web", True), (("web",), "web", True), (("web",), "", False), (("*",), "web", False)],
)
def test_names(names: tuple[str, ...] | None, name: str, *, covered: bool) -> None:
    rule = PolicyRule(verbs=("get",), api_groups=("",), resources=("pods",), resource_names=names)
    assert covers(rule, Attributes(ALICE, "get", resource="pods", name=name)) is covered


@pytest.mark.parametrize(
    ("known", "url", "covered"),
    [
        ("*", "/metrics", True),
        ("/metrics", "/metrics", True),
        ("/metrics", "/metrics/a", False),
        ("/api/*", "/api/v1", True),
        ("/api/*", "/api/", True),
        ("/api/*", "/api", False),
        ("/api**", "/apis", True),
        ("/*/v1", "/api/v1", False),
    ],
)
def test_urls(known: str, url: str, *, covered: bool) -> None:
    rule = PolicyRule(verbs=("get",), non_resource_urls=(known,))
    assert covers(rule, Attributes(ALICE, "get", path=url)) is covered
    assert not covers(rule, Attributes(ALICE, "put", path=url))


def test_a_rule_without_verbs_covers_nothing() -> None:
    assert not covers(PolicyRule(api_groups=("*",), resources=("*",)), Attributes(ALICE, "get", resource="pods"))
