"""The group system:masters may do anything, and nobody else by it."""

from __future__ import annotations

import pytest

from podward.access.superuser import Superuser
from podward.api.authorization import NO_OPINION, Attributes, Opinion
from podward.api.caller import User


@pytest.mark.parametrize("wanted", [("get", "pods"), ("escalate", "clusterroles")])
def test_members_may(wanted: tuple[str, str]) -> None:
    asked = Attributes(User("root", ("dev", "system:masters")), wanted[0], resource=wanted[1])
    assert Superuser().authorize(asked).opinion is Opinion.ALLOW


@pytest.mark.parametrize(
    "user", [User("system:masters"), User("a", ("system:master",)), User("b", ("SYSTEM:MASTERS",))]
)
def test_others_are_left_to_the_other_authorizers(user: User) -> None:
    assert Superuser().authorize(Attributes(user, "get", resource="pods")) is NO_OPINION
