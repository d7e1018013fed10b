"""Which user names are service accounts'."""

from __future__ import annotations

import pytest

from podward.access.service_account_names import split_username


@pytest.mark.parametrize(
    ("username", "account"),
    [
        ("system:serviceaccount:shop:app", ("shop", "app")),
        ("system:serviceaccount:shop:app.v1", ("shop", "app.v1")),
        ("system:serviceaccount:shop", None),
        ("system:serviceaccount::app", None),
        ("system:serviceaccount:shop:", None),
        ("system:serviceaccount:shop:app:x", None),
        ("system:serviceaccount:Shop:app", None),
        ("serviceaccount:shop:app", None),
    ],
)
def test_the_parts_of_a_name(username: str, account: tuple[str, str] | None) -> None:
    assert split_username(username) == account
