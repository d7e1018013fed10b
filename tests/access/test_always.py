"""AlwaysAllow allows everything; AlwaysDeny has no opinion, and says why."""

from __future__ import annotations

from podward.access.always import AlwaysAllow, AlwaysDeny
from podward.access.known_rules import ALL, NONE
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User

WANTED = Attributes(User("alice"), "delete", resource="nodes")


def test_everything_is_allowed() -> None:
    answer = AlwaysAllow().authorize(WANTED)
    assert (answer.opinion, answer.reason) == (Opinion.ALLOW, "")
    assert AlwaysAllow().known_rules(WANTED.user, "shop") is ALL


def test_nothing_is_allowed_and_nothing_is_denied() -> None:
    answer = AlwaysDeny().authorize(WANTED)
    assert (answer.opinion, answer.reason) == (Opinion.NO_OPINION, "Everything is forbidden.")
    assert AlwaysDeny().known_rules(WANTED.user, "shop") is NONE
