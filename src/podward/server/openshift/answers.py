"""A server's authorizers, as rules that do not wait ask them: the rules are asked anew once an answer is there.

Nearly every authorizer answers at once. Where one has to ask around (a webhook), the rules are left where they are
(`PendingError`), the answer is waited for, and they are asked again from the beginning, this time with the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from podward.api.authorization import Answer, Attributes

Found = TypeVar("Found")
Authorize = Callable[["Attributes"], "Coroutine[Any, Any, Answer]"]


class PendingError(Exception):
    """The answer to a question is not there yet."""

    def __init__(self, wanted: Attributes, rest: Awaitable[Answer]) -> None:
        super().__init__(wanted.verb)
        self.wanted = wanted
        self.rest = rest


class _Rest(Awaitable["Answer"]):
    """What is left of a coroutine that has begun."""

    def __init__(self, begun: Coroutine[Any, Any, Answer], waits_for: object) -> None:
        self._begun = begun
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Answer]:
        waits_for = self._waits_for
        while True:
            got = yield waits_for
            try:
                waits_for = self._begun.send(got)
            except StopIteration as end:
                answer: Answer = end.value
                return answer


class Answers:
    """An authorizer whose answers are at once there, or never: it is asked by one request only."""

    def __init__(self, authorize: Authorize) -> None:
        self._authorize = authorize
        self._known: list[tuple[Attributes, Answer]] = []

    def authorize(self, wanted: Attributes) -> Answer:
        """The answer. Raises PendingError."""
        for question, answer in self._known:
            if question == wanted:
                return answer
        asking = self._authorize(wanted)
        try:
            waits_for = asking.send(None)
        except StopIteration as end:
            found: Answer = end.value
            return found
        raise PendingError(wanted, _Rest(asking, waits_for))

    async def decided(self, decide: Callable[[], Found]) -> Found:
        """What the rules decide, once they have all answers."""
        while True:
            try:
                return decide()
            except PendingError as pending:
                answer = await pending.rest
                self._known.append((pending.wanted, answer))
