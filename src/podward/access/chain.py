"""Several authorizers as one.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/union. They are asked in order; the first that
allows or denies decides. Where nobody does, the reasons of all of them are the reason, and so are their errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from podward.access.errors import aggregated
from podward.api.authorization import Answer, Opinion

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from podward.api.authorization import Attributes, Authorizer

Asked = TypeVar("Asked")


class Chain:
    """Authorizers in their order. An empty chain has no opinion on anything."""

    __slots__ = ("_authorizers",)

    def __init__(self, *authorizers: Authorizer) -> None:
        self._authorizers = authorizers

    def authorize(self, wanted: Attributes) -> Answer:
        """The first answer that allows or denies."""
        asking = first_opinion(self._authorizers)
        try:
            authorizer = next(asking)
            while True:
                authorizer = asking.send(authorizer.authorize(wanted))
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def first_opinion(authorizers: Iterable[Asked]) -> Generator[Asked, Answer, Answer]:
    """The first answer that allows or denies. It yields whoever is to be asked next, and is sent the answer."""
    reasons, errors = [], []
    for authorizer in authorizers:
        answer = yield authorizer
        if answer.opinion is not Opinion.NO_OPINION:
            return answer
        if answer.reason:
            reasons.append(answer.reason)
        if answer.error:
            errors.append(answer.error)
    return Answer(message="\n".join(reasons), error=aggregated(errors))
