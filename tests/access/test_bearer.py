"""Which token a request bears."""

from __future__ import annotations

import pytest

from podward.access.bearer import bearer_token, ignored_for_space, protocol_token

PREFIX = "base64url.bearer.authorization.k8s.io."


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        (" bearer abc ", "abc"),
        ("BEARER a b", "a"),
        ("Bearer", ""),
        ("Bearer  abc", ""),
        ("x", ""),
        ("Basic abc", ""),
        ("", ""),
    ],
)
def test_the_first_word_after_bearer_is_the_token(header: str, token: str) -> None:
    assert bearer_token(header) == token


def test_two_blanks_are_worth_a_warning() -> None:
    assert ignored_for_space("Bearer  abc")
    assert not ignored_for_space("Bearer abc")


@pytest.mark.parametrize(
    ("protocols", "found"),
    [
        (("v4.channel.k8s.io",), ("", ("v4.channel.k8s.io",))),
        ((f"{PREFIX}YWJj", "v4.channel.k8s.io"), ("abc", ("v4.channel.k8s.io",))),
        ((f"{PREFIX}YWJj",), "missing additional subprotocol"),
        ((f"{PREFIX}YWJj", f"{PREFIX}YWJj", "x"), "multiple base64.bearer.authorization tokens specified"),
        ((f"{PREFIX}Y*", "x"), "invalid base64.bearer.authorization token encoding"),
        ((f"{PREFIX}_w", "x"), "invalid base64.bearer.authorization token"),
    ],
)
def test_a_websocket_may_carry_it_as_a_protocol(protocols: tuple[str, ...], found: object) -> None:
    assert protocol_token(protocols) == found
