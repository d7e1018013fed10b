"""Rules that do not wait are asked again once an authorizer that had to ask around has answered."""

from __future__ import annotations

import asyncio

from podward.api.authorization import NO_OPINION, Answer, Attributes, Opinion
from podward.api.caller import User
from podward.decision import Origin, Source
from podward.server.openshift.answers import Answers

ALLOWED = Answer(Opinion.ALLOW, Source(Origin.POLICY, "a webhook"))


def _question(name: str) -> Attributes:
    return Attributes(User("alice"), "use", name=name)


class _Authorizer:
    """It answers some questions at once, and others after a while."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def authorize(self, wanted: Attributes) -> Answer:
        self.asked.append(wanted.name)
        if wanted.name.startswith("slow"):
            await asyncio.sleep(0.001)
            async with asyncio.timeout(1):
                await asyncio.sleep(0.001)
        return ALLOWED if wanted.name.endswith("yes") else NO_OPINION


def test_what_is_answered_later_is_decided_later() -> None:
    authorizer, tries = _Authorizer(), []

    async def decided() -> list[Opinion]:
        answers = Answers(authorizer.authorize)

        def decide() -> list[Opinion]:
            tries.append(1)
            names = ("quick-yes", "slow-no", "slow-yes", "quick-no", "slow-no")
            return [answers.authorize(_question(name)).opinion for name in names]

        return await answers.decided(decide)

    allow, none = Opinion.ALLOW, Opinion.NO_OPINION
    assert asyncio.run(decided()) == [allow, none, allow, none, none]
    assert len(tries) == 3
    assert authorizer.asked.count("slow-no") == authorizer.asked.count("slow-yes") == 1


def test_what_fails_fails() -> None:
    async def fails(_wanted: Attributes) -> Answer:
        await asyncio.sleep(0)
        raise ConnectionError

    async def decided() -> Answer:
        answers = Answers(fails)
        return await answers.decided(lambda: answers.authorize(_question("x")))

    try:
        asyncio.run(decided())
    except ConnectionError:
        return
    raise AssertionError
