"""HTTP basic: who has which password, and what lets nobody in."""

from __future__ import annotations

import base64

import pytest

from podward.access.authentication import Authenticated, Failed
from podward.access.passwords import INVALID_PASSWORD, Passwords
from podward.errors import InputError

TEXT = 'secret,alice,1,"dev,ops"\npa:ss,bob,2\nold,carol,3\nnew,carol,4\n,dave,5\nx,,6\n'
KNOWN = Passwords(TEXT, "passwords.csv")


def basic(name: str, password: str, scheme: str = "Basic") -> str:
    return f"{scheme} " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("name", "password", "uid", "groups"),
    [("alice", "secret", "1", ("dev", "ops")), ("bob", "pa:ss", "2", ()), ("carol", "new", "4", ())],
)
def test_who_has_the_password_is_the_user(name: str, password: str, uid: str, groups: tuple[str, ...]) -> None:
    found = KNOWN.authenticate(basic(name, password, "basic"))
    assert isinstance(found, Authenticated)
    assert (found.user.username, found.user.uid, found.user.groups) == (name, uid, groups)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "Secret"),
        ("alice", ""),
        ("Alice", "secret"),
        ("carol", "old"),
        ("nobody", "x"),
        ("dave", ""),
        ("", "x"),
    ],
)
def test_a_wrong_password_is_a_failure(name: str, password: str) -> None:
    assert KNOWN.authenticate(basic(name, password)) == Failed((INVALID_PASSWORD,))


@pytest.mark.parametrize("header", ["", "Bearer secret", "Basic", "Basic !", "Basic YWxpY2U=", "Basic YQ", "Basic ü"])
def test_a_header_without_name_and_password_says_nothing(header: str) -> None:
    assert KNOWN.authenticate(header) is None


def test_no_warning_tells_a_password() -> None:
    assert KNOWN.warnings == (
        "duplicate username 'carol' has been found in password file 'passwords.csv', record number '4'",
        "empty password has been found in password file 'passwords.csv', record number '5'",
        "empty user name has been found in password file 'passwords.csv', record number '6'",
    )


def test_a_record_without_a_uid_is_refused() -> None:
    with pytest.raises(InputError, match="must have at least 3 columns"):
        Passwords("secret,alice\n", "passwords.csv")
