"""The authorizers that the flags name are asked, in their order."""

from __future__ import annotations

import asyncio

import pytest

from podward.access.abac import Abac
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User
from podward.errors import UsageError
from podward.server.authorizing import Authorizers

WANTED = Attributes(User("alice"), "get", resource="pods", namespace="shop")


def test_abac_is_asked_beside_rbac() -> None:
    policies = Abac('{"user":"alice"}', "abac.jsonl")
    assert asyncio.run(Authorizers(["RBAC", "ABAC"], policies).authorize(WANTED)).opinion is Opinion.ALLOW
    assert asyncio.run(Authorizers(["RBAC"], policies).authorize(WANTED)).opinion is Opinion.NO_OPINION


@pytest.mark.parametrize("modes", [["ABAC"], ["RBAC", "Nonsense"]])
def test_a_mode_without_its_file_or_of_no_such_name_is_refused(modes: list[str]) -> None:
    with pytest.raises(UsageError):
        Authorizers(modes)
