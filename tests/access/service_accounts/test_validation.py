"""Tokens of service accounts: several issuers and keys, time, audiences, and what they are bound to."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from podward.access import jwt
from podward.access.authentication import Authenticated, Outcome
from podward.access.service_accounts.claims import ObjectReference, TokenFacts, claims
from podward.access.service_accounts.lookups import Lookup
from podward.access.service_accounts.validation import ServiceAccountTokens
from podward.api.json_value import JsonObject

KEYS: tuple[jwt.PrivateKey, ...] = (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048))
ISSUERS = ("https://now.example", "https://former.example")
NOW = 1_800_000_000
ACCOUNT: JsonObject = {"metadata": {"name": "robot", "namespace": "default", "uid": "u1"}}
POD: JsonObject = {"metadata": {"name": "p", "namespace": "default", "uid": "u2"}}
NODE: JsonObject = {"metadata": {"name": "n", "uid": "u3"}}
STORED: Mapping[tuple[str, str], JsonObject] = {
    ("serviceaccounts", "robot"): ACCOUNT, ("pods", "p"): POD, ("nodes", "n"): NODE
}  # fmt: skip
BOUND = (("pod", ObjectReference("p", "u2")), ("node", ObjectReference("n", "u3")))


def issued(
    *,
    issuer: str = ISSUERS[0],
    key: jwt.PrivateKey = KEYS[0],
    audiences: tuple[str, ...] = ISSUERS,
    now: int = NOW,
    bound: tuple[tuple[str, ObjectReference], ...] = (),
) -> str:
    facts = TokenFacts(issuer, "default", ObjectReference("robot", "u1"), audiences, now, 600, "id", bound)
    return jwt.signed(claims(facts), key)


def asked(token: str, *wanted: str, without: tuple[str, str] | None = None, now: float = NOW) -> Outcome:
    known = ServiceAccountTokens(ISSUERS, [key.public_key() for key in KEYS], ISSUERS)
    looking = known.authenticate(token, wanted, now)
    try:
        found: Lookup = next(looking)
        while True:
            key = (found.resource, found.name)
            found = looking.send(None if key == without else STORED.get(key))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("key", KEYS)
def test_every_issuer_and_every_key_is_known(issuer: str, key: jwt.PrivateKey) -> None:
    found = asked(issued(issuer=issuer, key=key))
    assert isinstance(found, Authenticated)
    assert found.user.username == "system:serviceaccount:default:robot"


def test_the_user_has_what_the_token_is_bound_to() -> None:
    found = asked(issued(bound=BOUND))
    assert isinstance(found, Authenticated)
    prefix = "authentication.kubernetes.io/"
    assert found.user.extra == {
        f"{prefix}credential-id": ("JTI=id",),
        f"{prefix}pod-name": ("p",),
        f"{prefix}pod-uid": ("u2",),
        f"{prefix}node-name": ("n",),
        f"{prefix}node-uid": ("u3",),
    }


@pytest.mark.parametrize("gone", [("serviceaccounts", "robot"), ("pods", "p")])
def test_a_token_is_gone_with_what_it_is_bound_to(gone: tuple[str, str]) -> None:
    assert isinstance(asked(issued(bound=BOUND)), Authenticated)
    assert not isinstance(asked(issued(bound=BOUND), without=gone), Authenticated)


def test_a_token_of_a_node_is_gone_with_it() -> None:
    token = issued(bound=BOUND[1:])
    assert isinstance(asked(token), Authenticated)
    assert not isinstance(asked(token, without=("nodes", "n")), Authenticated)


@pytest.mark.parametrize(("at", "good"), [(-61, False), (-59, True), (659, True), (661, False)])
def test_a_token_is_good_in_its_time_and_a_minute_around_it(at: int, *, good: bool) -> None:
    assert isinstance(asked(issued(), now=NOW + at), Authenticated) == good


def test_a_token_is_good_for_its_audiences() -> None:
    token = issued(audiences=("vault", "x"))
    assert not isinstance(asked(token), Authenticated)
    found = asked(token, "vault", "y")
    assert isinstance(found, Authenticated)
    assert found.audiences == ("vault",)


def test_another_issuers_token_is_left_to_others_and_another_key_is_a_failure() -> None:
    assert asked(issued(issuer="https://else.example")) is None
    strange = issued(key=ec.generate_private_key(ec.SECP256R1()))
    assert not isinstance(asked(strange), Authenticated)
    assert asked(strange) is not None
