"""Whom claims name: claims with prefixes, expressions, and what must hold."""

from __future__ import annotations

import pytest
from msgspec import structs

from podward.access.oidc.issuer import Issuer, Mapped, Rule
from podward.access.oidc.users import Users
from podward.api.caller import User

PLAIN = Issuer("https://i.example", ("cluster",), Mapped("sub", "oidc:"), Mapped("groups", "g:"))
BY_MAIL = structs.replace(PLAIN, username=Mapped("email"))
UNREAD = "json: cannot unmarshal"


def named(issuer: Issuer, **claims: object) -> User | str:
    return Users(issuer).named(claims)


@pytest.mark.parametrize(
    ("groups", "found"),
    [(["a", "b"], ("g:a", "g:b")), ("a", ("g:a",)), ([], ()), (None, ())],
)
def test_claims_name_the_user_with_prefixes(groups: object, found: tuple[str, ...]) -> None:
    user = named(PLAIN, sub="jane", groups=groups, jti="x")
    extra = {"authentication.kubernetes.io/credential-id": ("JTI=x",)}
    assert user == User("oidc:jane", found, "", extra)


@pytest.mark.parametrize(
    ("issuer", "claims", "why"),
    [
        (PLAIN, {}, 'parse username claims "sub": claim not present'),
        (PLAIN, {"sub": 3}, f'parse username claims "sub": {UNREAD} number into Go value of type string'),
        (PLAIN, {"sub": ""}, 'parse username claims "sub": it is empty'),
        (PLAIN, {"sub": None}, 'parse username claims "sub": it is empty'),
        (
            PLAIN,
            {"sub": "j", "groups": [1]},
            f'parse groups claim "groups": {UNREAD} array into Go value of type string',
        ),
        (
            PLAIN,
            {"sub": "j", "groups": {}},
            f'parse groups claim "groups": {UNREAD} object into Go value of type string',
        ),
        (
            PLAIN,
            {"sub": "j", "_claim_names": {"groups": "x"}},
            "could not expand distributed claims: groups is elsewhere, and nobody is asked for it",
        ),
        (BY_MAIL, {"email": "j@x", "email_verified": False}, "email not verified"),
        (BY_MAIL, {"email": "j@x", "email_verified": None}, "email not verified"),
        (
            BY_MAIL,
            {"email": "j@x", "email_verified": "true"},
            f"parse 'email_verified' claim: {UNREAD} string into Go value of type bool",
        ),
    ],
)
def test_claims_that_name_nobody(issuer: Issuer, claims: dict[str, object], why: str) -> None:
    assert named(issuer, **claims) == f"oidc: {why}"


def test_a_mail_address_is_a_name_where_it_is_verified_or_nothing_is_said() -> None:
    for claims in ({}, {"email_verified": True}):
        user = named(BY_MAIL, email="j@x", **claims)
        assert isinstance(user, User)
        assert user.username == "j@x"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({}, "required claim hd not present in ID token"),
        ({"hd": "b"}, "required claim hd value does not match. Got = b, want = a"),
        ({"hd": ["a"]}, f"parse claim hd: {UNREAD} array into Go value of type string"),
    ],
)
def test_a_required_claim_must_be_there_and_the_same(claims: dict[str, object], why: str) -> None:
    issuer = structs.replace(PLAIN, required=(("hd", "a"),))
    assert named(issuer, sub="j", **claims) == f"oidc: {why}"
    assert isinstance(named(issuer, sub="j", hd="a"), User)


EXPRESSED = structs.replace(
    PLAIN,
    username=Mapped(expression="'x:' + claims.sub"),
    groups=Mapped(expression="has(claims.roles) ? claims.roles : []"),
    uid=Mapped(expression="claims.?id.orValue('none')"),
    extra=(("example.org/team", "has(claims.team__dot__name) ? claims.team__dot__name : ''"),),
    claim_rules=(Rule("!has(claims.level) || claims.level > 3", "too low"),),
    user_rules=(Rule("!user.username.startsWith('x:system')", "no system"), Rule("size(user.groups) < 3")),
)


def test_expressions_name_the_user() -> None:
    user = named(EXPRESSED, sub="jane", roles=["a", "", "b"], **{"team.name": ["t"]})
    assert user == User("x:jane", ("a", "b"), "none", {"example.org/team": ("t",)})
    assert named(EXPRESSED, sub="jane", roles="a", id="7") == User("x:jane", ("a",), "7")


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"sub": "system"}, "user info validation rule: validation expression '!user.username.startsWith('x:system')'"),
        ({"level": 3}, "claim validation expression: validation expression '!has(claims.level) || claims.level > 3'"),
        (
            {"level": "x"},
            "claim validation expression: expression '!has(claims.level) || claims.level > 3' resulted in",
        ),
        ({"roles": [1]}, "group claim expression: expression must return a string or a list of strings"),
        (
            {"roles": ["a", "b", "c"]},
            "user info validation rule: validation expression 'size(user.groups) < 3' failed: ",
        ),
        ({"sub": 3}, "username claim expression: "),
        ({"id": 3}, "uid claim expression: uid claim expression must return a string"),
    ],
)
def test_what_an_expression_or_a_rule_refuses(claims: dict[str, object], why: str) -> None:
    found = named(EXPRESSED, **{"sub": "jane", **claims})
    assert isinstance(found, str)
    assert found.startswith(f"oidc: error evaluating {why}")


def test_an_empty_name_is_nobodys() -> None:
    issuer = structs.replace(PLAIN, username=Mapped(expression="claims.sub"))
    assert named(issuer, sub="") == "oidc: empty username via CEL expression is not allowed"
