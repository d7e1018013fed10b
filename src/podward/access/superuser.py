"""The group `system:masters` may do anything, whatever the other authorizers say.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/authorizerfactory, NewPrivilegedGroups: it is asked
first, and gives no reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.caller import MASTERS
from podward.decision import Origin, Source

if TYPE_CHECKING:
    from podward.api.authorization import Attributes

_MAY = Answer(Opinion.ALLOW, Source(Origin.RULE, f"Kubernetes, group {MASTERS}"))


class Superuser:
    """Allows everything to the members of the group."""

    __slots__ = ()

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed, or no opinion."""
        return _MAY if MASTERS in wanted.user.groups else NO_OPINION
