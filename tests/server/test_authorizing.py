"""The authorizers that the flags name are asked, in their order."""

from __future__ import annotations

import asyncio

import pytest

from podward.access.abac import Abac
from podward.access.authorizer_entries import of_modes
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User
from podward.errors import UsageError
from podward.server.authorizing import Authorizers

WANTED = Attributes(User("alice"), "get", resource="pods", namespace="shop")


def test_abac_is_asked_beside_rbac() -> None:
    policies = Abac('{"user":"alice"}', "abac.jsonl")
    assert asyncio.run(Authorizers(of_modes(("RBAC", "ABAC")), policies).authorize(WANTED)).opinion is Opinion.ALLOW
    assert asyncio.run(Authorizers(of_modes(("RBAC",)), policies).authorize(WANTED)).opinion is Opinion.NO_OPINION


def test_a_mode_without_its_file_is_refused() -> None:
    with pytest.raises(UsageError):
        Authorizers(of_modes(("RBAC", "ABAC")))
