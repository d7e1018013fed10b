"""Several authorizers as one.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/union. They are asked in order; the first that
allows or denies decides. Where nobody does, the reasons of all of them are the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.authorization import Answer, Opinion

if TYPE_CHECKING:
    from podward.api.authorization import Attributes, Authorizer


class Chain:
    """Authorizers in their order. An empty chain has no opinion on anything."""

    __slots__ = ("_authorizers",)

    def __init__(self, *authorizers: Authorizer) -> None:
        self._authorizers = authorizers

    def authorize(self, wanted: Attributes) -> Answer:
        """The first answer that allows or denies."""
        reasons = []
        for authorizer in self._authorizers:
            answer = authorizer.authorize(wanted)
            if answer.opinion is not Opinion.NO_OPINION:
                return answer
            if answer.reason:
                reasons.append(answer.reason)
        return Answer(message="\n".join(reasons))
