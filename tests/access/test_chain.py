"""A chain of authorizers answers as the first of them that has an opinion."""

from __future__ import annotations

import pytest

from podward.access.chain import Chain
from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.decision import Origin, Source
from podward.policy.scc.access import Members, Subjects
from podward.schema.scc.reading import scc_view

SOURCE = Source(Origin.POLICY, "policy.jsonl")
ALLOWED, DENIED = Answer(Opinion.ALLOW, SOURCE, "yes"), Answer(Opinion.DENY, SOURCE, "no")
WANTED = Attributes(User("alice"), "get", resource="pods")


class Always:
    """Gives one answer, and counts how often it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = 0

    def authorize(self, _wanted: Attributes) -> Answer:
        self.asked += 1
        return self.answer


@pytest.mark.parametrize(
    ("answers", "opinion"),
    [
        ((), Opinion.NO_OPINION),
        ((NO_OPINION,), Opinion.NO_OPINION),
        ((NO_OPINION, ALLOWED), Opinion.ALLOW),
        ((ALLOWED, DENIED), Opinion.ALLOW),
        ((DENIED, ALLOWED), Opinion.DENY),
        ((NO_OPINION, DENIED, ALLOWED), Opinion.DENY),
    ],
)
def test_the_first_that_allows_or_denies_decides(answers: tuple[Answer, ...], opinion: Opinion) -> None:
    assert Chain(*map(Always, answers)).authorize(WANTED).opinion is opinion


def test_nobody_is_asked_after_the_decision() -> None:
    first, second, third = (Always(answer) for answer in (NO_OPINION, DENIED, ALLOWED))
    assert Chain(first, second, third).authorize(WANTED) is DENIED
    assert (first.asked, second.asked, third.asked) == (1, 1, 0)


def test_the_reasons_of_those_without_an_opinion_are_the_reason() -> None:
    silent = (Answer(message="not a node"), NO_OPINION, Answer(message="no role"))
    assert Chain(*map(Always, silent)).authorize(WANTED).reason == "not a node\nno role"


def test_a_chain_is_an_authorizer() -> None:
    assert Chain(Chain(Always(NO_OPINION)), Chain(Always(ALLOWED))).authorize(WANTED) is ALLOWED


@pytest.mark.parametrize("answer", [NO_OPINION, DENIED, Answer(message="the webhook timed out")])
def test_the_use_of_an_scc_is_not_granted_unless_it_is_allowed(answer: Answer) -> None:
    members = Members(scc_view({"metadata": {"name": "x"}}))
    assert Subjects("builder", User("alice"), "ns", Chain(Always(answer))).grant(members) is None


def test_a_denial_outweighs_who_would_allow_after_it() -> None:
    members = Members(scc_view({"metadata": {"name": "x"}}))
    denied = Subjects("", User("alice"), "ns", Chain(Always(DENIED), Always(ALLOWED)))
    silent = Subjects("", User("alice"), "ns", Chain(Always(NO_OPINION), Always(ALLOWED)))
    assert denied.grant(members) is None
    assert silent.grant(members) is not None
