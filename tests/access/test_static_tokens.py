"""The static token file is read as kube-apiserver reads it."""

from __future__ import annotations

import pytest

from podward.access.authentication import Authenticated
from podward.access.static_tokens import StaticTokens
from podward.api.caller import User
from podward.errors import InputError


def user_of(text: str, token: str) -> User | None:
    outcome = StaticTokens(text, "tokens.csv").authenticate(token)
    return outcome.user if isinstance(outcome, Authenticated) else None


@pytest.mark.parametrize(
    ("line", "groups"),
    [
        ('t,alice,1,"dev,ops"', ("dev", "ops")),
        ("t,alice,1,dev", ("dev",)),
        ("t,alice,1", ()),
        ("t,alice,1,", ("",)),
        ("\nt,alice,1,dev,ignored\n\n", ("dev",)),
        ('"t","al""ice",1', ()),
    ],
)
def test_a_record_names_a_user(line: str, groups: tuple[str, ...]) -> None:
    user = user_of(line, "t")
    assert user is not None
    assert (user.uid, user.groups) == ("1", groups)


def test_an_unknown_token_is_nobodys() -> None:
    assert user_of("t,alice,1", "T") is None
    assert user_of(",alice,1", "") is None


def test_the_last_of_two_records_counts_and_no_warning_tells_a_token() -> None:
    read = StaticTokens("secret,a,1\nsecret,b,2\n,c,3\n", "f.csv")
    found = read.authenticate("secret")
    assert isinstance(found, Authenticated)
    assert found.user.username == "b"
    assert found.authenticator == "static token file f.csv, record 2"
    assert read.warnings == (
        "duplicate token has been found in token file 'f.csv', record number '2'",
        "empty token has been found in token file 'f.csv', record number '3'",
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("t,alice", "must have at least 3 columns (token, user name, user uid), found 2"),
        ('t,a"b,1', 'parse error on line 1, column 4: bare " in non-quoted field'),
        ('x,y,1\nt,"a"b,1', 'parse error on line 2, column 5: extraneous or missing " in quoted-field'),
        ('t,"a\nb', 'record on line 1; parse error on line 2, column 2: extraneous or missing " in quoted-field'),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(text: str, error: str) -> None:
    with pytest.raises(InputError) as refused:
        StaticTokens(text, "tokens.csv")
    assert error in refused.value.what


def test_a_token_is_good_for_the_audiences_of_its_file() -> None:
    read = StaticTokens("t,alice,1\n", "f.csv", ("here", "there"))
    found = read.authenticate("t", ("elsewhere", "there"))
    assert isinstance(found, Authenticated)
    assert found.audiences == ("there",)
    assert read.authenticate("t", ("elsewhere",)) is None
