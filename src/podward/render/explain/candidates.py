"""What was refused, and the SCCs among which admission chose, with their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.decision import Source
from podward.path import Path
from podward.render.explain import forms

if TYPE_CHECKING:
    from podward.api.explanation import AdmissionExplanation, ConsideredScc
    from podward.render.explain.citing import Citations


class Refusal(Struct, frozen=True, gc=False):
    """What a stage refused; `where` is the line of the field, or of what is closest to it."""

    stage: str
    path: Path
    value: str
    reason: str
    source: Source
    where: str


class Tried(Struct, frozen=True, gc=False):
    """An SCC of the ranking; `where` is its line, if it is written in a file.

    `outcome` is `chosen`, `not usable`, `refused`, `would change the Pod` or `not tried`; `points` are by item.
    """

    name: str
    where: str
    priority: int
    points: tuple[tuple[str, int], ...]
    outcome: str
    reason: str
    refusals: tuple[Refusal, ...]

    @property
    def total(self) -> int:
        """All its points."""
        return sum(number for _, number in self.points)


class Ranking(Struct, frozen=True, gc=False):
    """How admission chose: who asked (`caller`, the Pod's `account`), the SCCs in order, what Pod Security says."""

    caller: str
    account: str
    tried: tuple[Tried, ...]
    verdicts: tuple[str, ...]
    note: str = ""


def ranking_of(admission: AdmissionExplanation, citations: Citations) -> Ranking:
    """The ranking with the lines of the SCCs, and of what they refuse."""
    tried = tuple(_tried(each, citations) for each in admission.considered)
    return Ranking(admission.caller, admission.account, tried, admission.verdicts, admission.note)


def _tried(each: ConsideredScc, citations: Citations) -> Tried:
    item = citations.policies.get(f"scc {each.name}")
    refusals = tuple(
        Refusal("admission", v.path, forms.plain(v.value), v.reason, v.source, citations.where(v.path))
        for v in each.violations
    )
    where = item.where(Path()) if item is not None else ""
    return Tried(each.name, where, each.priority, each.points, each.outcome, each.reason, refusals)
