"""Events of an audit log, as questions."""

from __future__ import annotations

import pytest

from podward.access.recorded_request import guessed, recorded
from podward.access.static_tokens import StaticTokens
from podward.api.authorization import Requirement
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.errors import InputError

EVENT: JsonObject = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "verb": "list",
    "requestURI": "/api/v1/namespaces/shop/pods?fieldSelector=spec.nodeName%3Dn1&limit=500",
    "user": {"username": "alice", "groups": ["dev"], "uid": "u1"},
    "objectRef": {"resource": "pods", "namespace": "shop", "apiVersion": "v1"},
    "responseStatus": {"metadata": {}, "code": 403},
    "annotations": {"authorization.k8s.io/decision": "forbid", "authorization.k8s.io/reason": "no"},
}


def test_an_event_says_who_asked_what_and_what_came_of_it() -> None:
    found = recorded(EVENT, "audit.log")
    assert found.wanted.user == User("alice", ("dev",), "u1")
    assert (found.wanted.verb, found.wanted.resource, found.wanted.namespace) == ("list", "pods", "shop")
    assert found.wanted.field_selector == (Requirement("spec.nodeName", "In", ("n1",)),)
    assert (found.decision, found.reason, found.code) == ("forbid", "no", 403)


def test_whoever_is_impersonated_is_whom_authorizers_were_asked_about() -> None:
    found = recorded({**EVENT, "impersonatedUser": {"username": "bob"}}, "audit.log")
    assert found.wanted.user.username == "bob"
    assert found.original == User("alice", ("dev",), "u1")


def test_a_request_to_a_path() -> None:
    found = recorded({**EVENT, "objectRef": None, "requestURI": "/metrics?x=y", "verb": "get"}, "audit.log")
    assert found.wanted.path == "/metrics"


def test_of_a_new_object_authorizers_know_no_name() -> None:
    about: JsonObject = {"resource": "pods", "name": "web", "apiVersion": "v1"}
    assert recorded({**EVENT, "verb": "create", "objectRef": about}, "x").wanted.name == ""
    assert (
        recorded({**EVENT, "verb": "create", "objectRef": {**about, "subresource": "exec"}}, "x").wanted.name == "web"
    )


@pytest.mark.parametrize(
    ("user", "words"),
    [
        (User("system:anonymous", ("system:unauthenticated",)), "anonymous"),
        (User("a", (), "", {"authentication.kubernetes.io/credential-id": ("X509SHA256=ab",)}), "client certificate"),
        (User("a", (), "", {"authentication.kubernetes.io/credential-id": ("JTI=1",)}), "token of an issuer"),
        (User("system:serviceaccount:shop:app"), "token of service account shop/app"),
        (User("alice"), "not told"),
    ],
)
def test_which_authenticator_it_was(user: User, words: str) -> None:
    assert words in guessed(user)


def test_a_file_of_tokens_tells_whose_record_it_was() -> None:
    tokens = StaticTokens("t0,bob,u0\nt1,alice,u1,dev\n", "tokens.csv")
    assert recorded(EVENT, "x", tokens).authenticator == "static token file tokens.csv, record 2"
    other: JsonObject = {**EVENT, "user": {"username": "alice", "uid": "u2", "groups": ["dev"]}}
    assert recorded(other, "x", tokens).authenticator.startswith("not told")


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(InputError, match="this is no event of an audit log"):
        recorded({"kind": "Pod", "apiVersion": "v1"}, "x")
