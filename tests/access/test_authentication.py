"""Audiences, groups and failures, which all authenticators have in common."""

from __future__ import annotations

from podward.access.authentication import Authenticated, Failed, for_audiences, in_group_of_authenticated
from podward.api.caller import NOBODY, User

FOUND = Authenticated(User("jane", ("dev",)), "a test")


def test_whoever_is_named_is_authenticated_but_nobody_is() -> None:
    assert in_group_of_authenticated(FOUND).user.groups == ("dev", "system:authenticated")
    assert in_group_of_authenticated(Authenticated(NOBODY, "a test")).user == NOBODY
    twice = in_group_of_authenticated(in_group_of_authenticated(FOUND))
    assert twice.user.groups == ("dev", "system:authenticated")


def test_who_knows_no_audiences_is_good_for_the_servers_own() -> None:
    assert for_audiences(FOUND, ("us",), ()) == FOUND
    found = for_audiences(FOUND, ("us", "me"), ("x", "me"))
    assert isinstance(found, Authenticated)
    assert found.audiences == ("me",)
    assert for_audiences(FOUND, ("us",), ("x",)) is None
    assert for_audiences(Failed(("no",)), ("us",), ("x",)) == Failed(("no",))


def test_failures_are_told_once_each() -> None:
    assert Failed(("a", "b", "a")).message == "[a, b]"
    assert Failed(("a", "a")).message == "a"
