"""Acting as somebody else: what is asked for, in which order, and who one is then."""

from __future__ import annotations

import pytest

from podward.access.impersonation import Impersonated, impersonate, wanted_user
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.api.status import Status
from podward.decision import Origin, Source

ALLOWED = Answer(Opinion.ALLOW, Source(Origin.POLICY, "x"))
ALICE = User("alice", ("dev",))
REQUEST = Attributes(ALICE, "list", resource="pods", namespace="shop")
AUTHENTICATED = "system:authenticated"


def acting(wanted: User, *allowed: str, request: Attributes = REQUEST) -> tuple[Impersonated | Status, list[str]]:
    """The outcome, where questions with these words are allowed, and all questions: VERB RESOURCE NAME."""
    asking, questions = impersonate(wanted, request), []
    try:
        asked = next(asking)
        while True:
            part = f"/{asked.subresource}" if asked.subresource else ""
            questions.append(f"{asked.verb} {asked.resource}{part} {asked.name}".strip())
            asked = asking.send(ALLOWED if questions[-1] in allowed else NO_OPINION)
    except StopIteration as end:
        return end.value, questions


def test_the_older_way_asks_for_each_part_of_the_user() -> None:
    wanted = User("bob", ("ops", "qa"), "7", {"scope": ("a", "b")})
    parts = ["impersonate users bob", "impersonate uids 7", "impersonate groups ops", "impersonate groups qa"]
    parts += ["impersonate userextras/scope a", "impersonate userextras/scope b"]
    found, questions = acting(wanted, *parts)
    assert found == Impersonated(User("bob", ("ops", "qa", AUTHENTICATED), "7", {"scope": ("a", "b")}))
    assert questions == ["impersonate-on:user-info:list pods", *parts]
    for part in parts:
        refused, _ = acting(wanted, *(each for each in parts if each != part))
        assert isinstance(refused, Status)


def test_the_constrained_way_is_asked_first_and_for_this_very_request() -> None:
    found, questions = acting(User("bob"), "impersonate-on:user-info:list pods", "impersonate:user-info users bob")
    assert found == Impersonated(User("bob", (AUTHENTICATED,)), "impersonate:user-info")
    assert questions == ["impersonate-on:user-info:list pods", "impersonate:user-info users bob"]


def test_where_nothing_is_allowed_the_first_refusal_is_the_answer() -> None:
    refused, _ = acting(User("bob"))
    assert isinstance(refused, Status)
    assert 'cannot impersonate-on:user-info:list resource "pods"' in refused.message


@pytest.mark.parametrize(
    ("wanted", "allowed", "groups"),
    [
        (
            User("system:serviceaccount:shop:app"),
            ("impersonate serviceaccounts app",),
            ("system:serviceaccounts", "system:serviceaccounts:shop", AUTHENTICATED),
        ),
        (
            User("system:serviceaccount:shop:app", ("ops",)),
            ("impersonate serviceaccounts app", "impersonate groups ops"),
            ("ops", AUTHENTICATED),
        ),
        (
            User("system:node:n1"),
            ("impersonate-on:arbitrary-node:list pods", "impersonate:arbitrary-node nodes n1"),
            ("system:nodes", AUTHENTICATED),
        ),
        (User("system:node:n1"), ("impersonate users system:node:n1",), (AUTHENTICATED,)),
        (User("system:anonymous"), ("impersonate users system:anonymous",), ("system:unauthenticated",)),
    ],
)
def test_whom_one_acts_as_is_in_these_groups(wanted: User, allowed: tuple[str, ...], groups: tuple[str, ...]) -> None:
    found, _ = acting(wanted, *allowed)
    assert isinstance(found, Impersonated)
    assert found.user.groups == groups


def test_an_agent_of_a_node_may_act_as_its_own_node() -> None:
    extra = {"authentication.kubernetes.io/node-name": ("n1",)}
    agent = User("system:serviceaccount:shop:agent", (), "", extra)
    request = Attributes(agent, "list", resource="pods")
    allowed = ("impersonate-on:associated-node:list pods", "impersonate:associated-node nodes *")
    found, _ = acting(User("system:node:n1"), *allowed, request=request)
    assert found == Impersonated(User("system:node:n1", ("system:nodes", AUTHENTICATED)), "impersonate:associated-node")
    refused, _ = acting(User("system:node:n2"), *allowed, request=request)
    assert isinstance(refused, Status)


def test_headers_say_whom() -> None:
    headers = {"impersonate-user": ["bob"], "impersonate-group": ["a", "b"], "impersonate-extra-acme.io%2fx": ["y"]}
    assert wanted_user(headers) == User("bob", ("a", "b"), "", {"acme.io/x": ("y",)})
    assert wanted_user({}) is None
    assert isinstance(wanted_user({"impersonate-group": ["a"]}), Status)
