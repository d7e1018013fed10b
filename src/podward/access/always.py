"""The authorizers AlwaysAllow and AlwaysDeny.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/authorizerfactory. AlwaysDeny has no opinion, so that
what stands after it may still allow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.known_rules import ALL, NONE
from podward.api.authorization import Answer, Opinion
from podward.decision import Origin, Source

if TYPE_CHECKING:
    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Attributes
    from podward.api.caller import User

_ALLOWED = Answer(Opinion.ALLOW, Source(Origin.RULE, "authorization mode AlwaysAllow"))
_NOT_ALLOWED = Answer(message="Everything is forbidden.")


class AlwaysAllow:
    """Allows everything to everybody."""

    __slots__ = ()

    def authorize(self, _: Attributes) -> Answer:
        """Allowed."""
        return _ALLOWED

    def known_rules(self, _user: User, _namespace: str) -> KnownRules:
        """Everything."""
        return ALL


class AlwaysDeny:
    """Allows nothing."""

    __slots__ = ()

    def authorize(self, _: Attributes) -> Answer:
        """No opinion, and the reason."""
        return _NOT_ALLOWED

    def known_rules(self, _user: User, _namespace: str) -> KnownRules:
        """Nothing."""
        return NONE
