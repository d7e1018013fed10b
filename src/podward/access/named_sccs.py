"""Everybody may use the SCCs of certain names: what `podward check --scc NAME` asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.decision import Origin, Source
from podward.path import Path
from podward.policy.scc.access import is_use

if TYPE_CHECKING:
    from podward.api.authorization import Attributes


class NamedSccs:
    """Allows the use of the SCCs of these names, and has no opinion on anything else."""

    __slots__ = ("_names",)

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def authorize(self, wanted: Attributes) -> Answer:
        """Allowed where it is the use of an SCC that was named."""
        if wanted.name not in self._names or not is_use(wanted):
            return NO_OPINION
        source = Source(Origin.POLICY, f"--scc {wanted.name}", Path())
        return Answer(Opinion.ALLOW, source, "it was named, so everybody may")
