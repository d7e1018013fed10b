"""Which tokens are an issuer's, and good now; with the real server's words for those that are not."""

from __future__ import annotations

import pytest

from podward.access import jwt
from podward.access.oidc.issuer import Issuer, Mapped
from podward.access.oidc.verification import claims_fault, header_fault, issuer_of

URL = "https://issuer.example"
ISSUER = Issuer(URL, ("cluster",), Mapped("sub"), algorithms=("RS256",))
TWO = Issuer(URL, ("cluster", "other"), Mapped("sub"))
NOW = 1_800_000_000.0
GOOD: dict[str, object] = {"iss": URL, "aud": "cluster", "exp": NOW + 60, "sub": "jane"}
UTC = "+0000 UTC"
UNREAD = "oidc: failed to unmarshal claims: json: "


def token(header: dict[str, object], claims: dict[str, object]) -> jwt.Token:
    return jwt.Token(header, claims, b"", b"")


@pytest.mark.parametrize(
    "more",
    [
        {"aud": ["x", "cluster"]},
        {"exp": NOW},
        {"exp": 10**18},
        {"exp": NOW + 0.5},
        {"exp": str(int(NOW) + 60)},
        {"nbf": NOW + 60},
        {"iat": NOW + 5000},
        {"nbf": None},
    ],
)
def test_a_good_token_has_no_fault(more: dict[str, object]) -> None:
    assert claims_fault({**GOOD, **more}, ISSUER, NOW) == ""


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"aud": "x"}, 'oidc: expected audience "cluster" got ["x"]'),
        ({"aud": ["x", "y"]}, 'oidc: expected audience "cluster" got ["x" "y"]'),
        ({"aud": None}, 'oidc: expected audience "cluster" got []'),
        ({"aud": 3}, f"{UNREAD}cannot unmarshal number into Go struct field idToken.aud of type []string"),
        ({"aud": ["cluster", 3]}, f"{UNREAD}cannot unmarshal number into Go struct field idToken.aud of type string"),
        ({"_claim_names": {"groups": "s"}}, "oidc: source does not exist"),
        ({"_claim_names": {"groups": ""}}, "oidc: failed to obtain source from claim name"),
        ({"exp": NOW - 1}, "oidc: token is expired (Token Expiry: 2027-01-15 07:59:59 +0000 UTC)"),
        ({"exp": 0}, "oidc: token is expired (Token Expiry: 1970-01-01 00:00:00 +0000 UTC)"),
        ({"exp": None}, "oidc: token is expired (Token Expiry: 0001-01-01 00:00:00 +0000 UTC)"),
        ({"exp": True}, f"{UNREAD}cannot unmarshal bool into Go struct field idToken.exp of type json.Number"),
        ({"exp": "1e99999"}, f'{UNREAD}invalid number literal, trying to unmarshal "\\"1e99999\\"" into Number'),
        ({"sub": 5}, f"{UNREAD}cannot unmarshal number into Go struct field idToken.sub of type string"),
        (
            {"nbf": NOW + 61},
            f"oidc: current time 2027-01-15 08:00:00 {UTC} before the nbf (not before) time: 2027-01-15 08:01:01 {UTC}",
        ),
    ],
)
def test_what_keeps_a_token_from_being_good(more: dict[str, object], fault: str) -> None:
    assert claims_fault({**GOOD, **more}, ISSUER, NOW) == fault


def test_of_several_audiences_one_suffices() -> None:
    assert claims_fault({**GOOD, "aud": "other"}, TWO, NOW) == ""
    assert claims_fault({**GOOD, "aud": "x"}, TWO, NOW) == 'oidc: expected audience in ["cluster" "other"] got ["x"]'


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "ES256", "", 5, None])
def test_an_algorithm_that_is_not_allowed_is_never_tried(algorithm: object) -> None:
    name = algorithm if isinstance(algorithm, str) else ""
    expected = f'oidc: id token signed with unsupported algorithm, expected ["RS256"] got "{name}"'
    assert header_fault(token({"alg": algorithm}, {}), ISSUER) == expected
    assert header_fault(token({"alg": "RS256"}, {}), ISSUER) == ""


def test_no_issuer_is_allowed_an_algorithm_with_a_secret() -> None:
    assert not {name for name in jwt.ALGORITHMS if name.startswith("HS") or name.lower() == "none"}
    assert header_fault(token({"alg": "HS256"}, {}), TWO) != ""


@pytest.mark.parametrize(
    ("said", "issuer"), [(URL, URL), ("accounts.google.com", "https://accounts.google.com"), (3, "")]
)
def test_the_issuer_is_what_the_token_says(said: object, issuer: str) -> None:
    assert issuer_of(token({}, {"iss": said})) == issuer
