"""Who may be anonymous, and where."""

from __future__ import annotations

import pytest

from podward.access.anonymous import AnonymousAccess
from podward.api.caller import NOBODY


@pytest.mark.parametrize(
    ("access", "path", "allowed"),
    [
        (AnonymousAccess(), "/api", True),
        (AnonymousAccess(enabled=False), "/livez", False),
        (AnonymousAccess(enabled=False, paths=frozenset(("/livez",))), "/livez", False),
        (AnonymousAccess(paths=frozenset(("/livez",))), "/livez", True),
        (AnonymousAccess(paths=frozenset(("/livez",))), "/livez/", False),
        (AnonymousAccess(paths=frozenset(("/livez",))), "/livez/ping", False),
        (AnonymousAccess(paths=frozenset(("",))), "/", False),
    ],
)
def test_anonymous_requests_are_let_in_where_they_may(access: AnonymousAccess, path: str, *, allowed: bool) -> None:
    found = access.authenticate(path)
    assert (found is not None) == allowed
    assert found is None or found.user == NOBODY
