"""What a token webhook is sent, what its answers mean, and for how long they are remembered."""

from __future__ import annotations

import json

import pytest

from podward.access.authentication import Authenticated, Failed, Outcome
from podward.access.token_webhook import TokenWebhook

OWN = ("us",)


def answered(status: object, *audiences: str, life: float = 10.0) -> tuple[TokenWebhook, Outcome]:
    webhook = TokenWebhook("v1", OWN, life)
    return webhook, webhook.answered(
        webhook.key("t", audiences), audiences, json.dumps({"status": status}).encode(), 5.0
    )


def test_an_answer_is_remembered_for_a_while_for_its_token_and_audiences() -> None:
    webhook, found = answered({"authenticated": True, "user": {"username": "jane"}})
    assert isinstance(found, Authenticated)
    assert found.audiences == OWN
    assert webhook.known(webhook.key("t", ()), 14.0) == (found,)
    assert webhook.known(webhook.key("t", OWN), 14.0) == (found,)
    assert webhook.known(webhook.key("t", ()), 15.0) is None
    assert webhook.known(webhook.key("t", ("x",)), 6.0) is None
    assert webhook.known(webhook.key("u", ()), 6.0) is None


def test_that_nobody_is_named_is_remembered_and_a_failure_is_not() -> None:
    webhook, found = answered({"authenticated": False})
    assert (found, webhook.known(webhook.key("t", ()), 6.0)) == (None, (None,))
    webhook, found = answered({"error": "bad"})
    assert (found, webhook.known(webhook.key("t", ()), 6.0)) == (Failed(("bad",)), None)


def test_without_a_life_nothing_is_remembered() -> None:
    webhook, _ = answered({"authenticated": True, "user": {"username": "jane"}}, life=0.0)
    assert webhook.known(webhook.key("t", ()), 5.0) is None


@pytest.mark.parametrize("status", [{"authenticated": "yes"}, {"authenticated": 1}, [], "x", {"user": 3}])
def test_an_answer_of_another_form_is_a_failure(status: object) -> None:
    assert isinstance(answered(status)[1], Failed)


def test_only_so_many_answers_are_remembered() -> None:
    webhook = TokenWebhook("v1", OWN, 10.0)
    for number in range(9000):
        webhook.answered(b"%d" % number, (), b"{}", 0.0)
    assert webhook.known(b"0", 1.0) is None
    assert webhook.known(b"8999", 1.0) == (None,)
