"""The selection of an SCC: SCCs are tried in order until the subjects may use one and it admits the Pod.

Specification: OpenShift apiserver-library-go, sccadmission/admission.go (July 2026). All SCCs are prepared for the
namespace before the first is tried, so that one that cannot be prepared refuses every Pod. Every tried SCC is kept with
its own Decision; the Decisions are never merged.
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
from podward.policy.scc.order import SccRank
from podward.policy.scc.policies import Prepared
from podward.policy.scc.violation import SccViolation

SOURCE = Source(Origin.POLICY, "SecurityContextConstraints")
"""The source of refusals that no single SCC makes."""

_RESTRICTED, _RESTRICTED_V2 = "restricted", "restricted-v2"


class Verdict(Enum):
    """The result of trying an SCC."""

    CHOSEN = "chosen"
    NOT_USABLE = "not usable"
    """Neither the service account nor the caller may use it."""
    REFUSED = "refused"
    """The SCC refuses the Pod; the violations say why."""
    WOULD_CHANGE = "would change the Pod"
    """The SCC would admit the Pod only with assignments that this pass may not make."""


class Candidate(Struct, frozen=True):
    """An SCC that was tried: its rank, the result, the right to use it, and the SCC's Decision about the Pod."""

    rank: SccRank
    verdict: Verdict
    grant: Grant | None
    decision: Decision

    @property
    def name(self) -> str:
        """The SCC's name."""
        return self.rank.name


class Selection(Struct, frozen=True):
    """The result of a pass.

    `candidates` are the SCCs that were tried, in order. `chosen` is one of them; it is None if the Pod is refused or
    the request is ignored. `decision` has the assignments to store, or one violation whose reason is the whole message.
    `left_alone` says why SCC admission ignores this request; it is None if it does not.
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
        """Whether the pass admits the request. A pass that neither chose an SCC nor ignored the request does not."""
        return not self.decision.violations and (self.chosen is not None or self.left_alone is not None)


def try_in_order(
    prepared: Iterable[Prepared], pod: Pod, subjects: Subjects, may_set: Callable[[Decision], bool]
) -> tuple[Candidate, ...]:
    """Try each SCC until the subjects may use one, it admits the Pod, and `may_set` accepts its Decision.

    That SCC is the last of the returned ones.
    """
    tried: list[Candidate] = []
    for entry in prepared:
        ranked = entry.ranked
        grant = subjects.grant(ranked.members)
        if grant is None:
            tried.append(Candidate(ranked.rank, Verdict.NOT_USABLE, None, ranked.not_usable))
            continue
        decision = entry.provider.decide(pod)
        if decision.violations:
            tried.append(Candidate(ranked.rank, Verdict.REFUSED, grant, decision))
        elif not may_set(decision):
            tried.append(Candidate(ranked.rank, Verdict.WOULD_CHANGE, grant, decision))
        else:
            tried.append(Candidate(ranked.rank, Verdict.CHOSEN, grant, decision))
            break
    return tuple(tried)


def errors(candidates: Iterable[Candidate], prepared: Iterable[Prepared], pod: Pod) -> list[str]:
    """The errors for a Pod that no SCC admits, in the order of the SCCs, with the hint about `restricted`."""
    printed: list[str] = []
    verdicts: dict[str, Verdict] = {}
    for candidate in candidates:
        verdicts[candidate.name] = candidate.verdict
        printed += [
            violation.printed for violation in candidate.decision.violations if isinstance(violation, SccViolation)
        ]
    if _RESTRICTED_V2 in verdicts and verdicts.get(_RESTRICTED) is Verdict.NOT_USABLE:
        restricted = next(entry for entry in prepared if entry.ranked.rank.name == _RESTRICTED)
        if not restricted.provider.decide(pod).violations:
            printed.append(refusal.LEGACY_HINT)
    return printed


def refused(pod: Pod, why: str, candidates: tuple[Candidate, ...] = ()) -> Selection:
    """A refusal: one violation of the whole Pod, whose reason is the whole message."""
    sentence = refusal.forbidden(pod, why)
    violation = SccViolation(Path(), pod.metadata.name, sentence, SOURCE, printed=sentence)
    return Selection(candidates, None, Decision(violations=(violation,)))
