"""The token with which a list goes on."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as some

from podward.server import continue_token
from podward.server.continue_token import Continue


@given(some.integers(min_value=-1, max_value=2**62), some.text(min_size=1).filter(lambda text: ".." not in text))
def test_a_token_says_what_was_put_into_it(revision: int, key: str) -> None:
    found = continue_token.decoded(continue_token.encoded(revision, key))
    assert found == Continue("meta.k8s.io/v1", revision, key + "\0")


@pytest.mark.parametrize(
    "text", [b"", b"null", b"{}", b'{"v":"v0","rv":1,"start":"a"}', b'{"v":"meta.k8s.io/v1","rv":1,"start":"../a"}']
)
def test_a_token_that_somebody_made_up_leads_nowhere(text: bytes) -> None:
    assert isinstance(continue_token.decoded(base64.urlsafe_b64encode(text).decode()), str)


@given(some.text())
def test_no_text_makes_it_fail(text: str) -> None:
    continue_token.decoded(text)
