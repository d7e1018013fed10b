"""The choice among SCCs: they are tried in order until one is usable and fits.

Specification: OpenShift apiserver-library-go, sccadmission/admission.go (July 2026). Every SCC in question is prepared
for the namespace before any is tried, so that one that cannot be prepared refuses every Pod. What was tried is kept
with its own Decision; the Decisions are never merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum

from msgspec import Struct

from podward.api.core import Pod
from podward.decision import Decision, Origin, Source
from podward.path import Path
from podward.policy.scc import refusal
from podward.policy.scc.access import Grant, Subjects
from podward.policy.scc.order import Standing
from podward.policy.scc.policies import Prepared
from podward.policy.scc.violation import SccViolation

SOURCE = Source(Origin.POLICY, "SecurityContextConstraints")
"""Who refuses where no single SCC does."""

_RESTRICTED, _RESTRICTED_V2 = "restricted", "restricted-v2"


class Verdict(Enum):
    """What became of an SCC that was tried."""

    CHOSEN = "chosen"
    NOT_USABLE = "not usable"
    """Neither the service account nor the caller may use it."""
    REFUSED = "refused"
    """The Pod does not fit; the violations say why."""
    WOULD_CHANGE = "would change the Pod"
    """The Pod fits once the assignments are made, which this pass may not do."""


class Candidate(Struct, frozen=True):
    """An SCC that was tried: its place in the order, who may use it, and what it would set or refuse."""

    standing: Standing
    verdict: Verdict
    grant: Grant | None
    decision: Decision

    @property
    def name(self) -> str:
        """The SCC's name."""
        return self.standing.name


class Selection(Struct, frozen=True):
    """What a pass decided.

    `candidates` are the SCCs tried, in order; `chosen` is one of them, and None if the Pod is refused or left alone.
    `decision` is what is stored, or the refusal: one violation whose reason is the whole sentence. `left_alone` says
    why this request is none of SCC admission's business.
    """

    candidates: tuple[Candidate, ...] = ()
    chosen: Candidate | None = None
    decision: Decision = Decision()
    left_alone: str | None = None

    @property
    def closest(self) -> Candidate | None:
        """Of the SCCs that may be used and refuse the Pod, the one with the least against it; of several the first."""
        found: Candidate | None = None
        for each in self.candidates:
            if each.verdict is Verdict.REFUSED and (
                found is None or len(each.decision.violations) < len(found.decision.violations)
            ):
                found = each
        return found

    @property
    def allowed(self) -> bool:
        """Whether the pass lets the request go on. Nothing chosen and nothing refused is no permission."""
        return not self.decision.violations and (self.chosen is not None or self.left_alone is not None)


def try_in_order(
    prepared: Iterable[Prepared], pod: Pod, subjects: Subjects, may_set: Callable[[Decision], bool]
) -> tuple[Candidate, ...]:
    """Try each SCC until one is usable, fits, and sets nothing but what it `may_set`; that one comes last."""
    tried: list[Candidate] = []
    for entry in prepared:
        ranked = entry.ranked
        grant = subjects.grant(ranked.members)
        if grant is None:
            tried.append(Candidate(ranked.standing, Verdict.NOT_USABLE, None, ranked.not_usable))
            continue
        decision = entry.provider.decide(pod)
        if decision.violations:
            tried.append(Candidate(ranked.standing, Verdict.REFUSED, grant, decision))
        elif not may_set(decision):
            tried.append(Candidate(ranked.standing, Verdict.WOULD_CHANGE, grant, decision))
        else:
            tried.append(Candidate(ranked.standing, Verdict.CHOSEN, grant, decision))
            break
    return tuple(tried)


def errors(candidates: Iterable[Candidate], prepared: Iterable[Prepared], pod: Pod) -> list[str]:
    """The errors of a Pod that no SCC fits, in the order of the trials, with the hint about `restricted`."""
    printed: list[str] = []
    verdicts: dict[str, Verdict] = {}
    for candidate in candidates:
        verdicts[candidate.name] = candidate.verdict
        printed += [
            violation.printed for violation in candidate.decision.violations if isinstance(violation, SccViolation)
        ]
    if _RESTRICTED_V2 in verdicts and verdicts.get(_RESTRICTED) is Verdict.NOT_USABLE:
        restricted = next(entry for entry in prepared if entry.ranked.standing.name == _RESTRICTED)
        if not restricted.provider.decide(pod).violations:
            printed.append(refusal.LEGACY_HINT)
    return printed


def refused(pod: Pod, why: str, candidates: tuple[Candidate, ...] = ()) -> Selection:
    """The Pod is refused: the whole sentence as one violation of the whole Pod."""
    sentence = refusal.forbidden(pod, why)
    violation = SccViolation(Path(), pod.metadata.name, sentence, SOURCE, printed=sentence)
    return Selection(candidates, None, Decision(violations=(violation,)))
