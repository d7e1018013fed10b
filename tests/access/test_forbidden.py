"""The refusal in the server's words."""

from __future__ import annotations

import pytest

from podward.access.forbidden import forbidden
from podward.api.authorization import Attributes
from podward.api.caller import User

ALICE = User("alice")
_GROUP = 'in API group "apps" at the cluster scope'


@pytest.mark.parametrize(
    ("wanted", "reason", "message"),
    [
        (
            Attributes(ALICE, "get", resource="pods", name="web", namespace="shop"),
            "",
            'pods "web" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "shop"',
        ),
        (
            Attributes(ALICE, "list", "apps", "jobs", "scale"),
            "no",
            f'jobs.apps is forbidden: User "alice" cannot list resource "jobs/scale" {_GROUP}: no',
        ),
        (Attributes(ALICE, "get", path="/x"), "", 'forbidden: User "alice" cannot get path "/x"'),
        (
            Attributes(User("<b>&"), "get", path="/<i>"),
            "<kept>",
            'forbidden: User "&lt;b&gt;&amp;" cannot get path "/&lt;i&gt;": <kept>',
        ),
    ],
)
def test_it_says_who_cannot_do_what_where(wanted: Attributes, reason: str, message: str) -> None:
    found = forbidden(wanted, reason)
    assert (found.code, found.reason, found.message) == (403, "Forbidden", message)
