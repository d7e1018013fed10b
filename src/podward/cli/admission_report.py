"""How admission came to its answer, as `explain` tells it: every SCC in the order of trying, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.caller import service_account
from podward.api.explanation import AdmissionExplanation, ConsideredScc
from podward.decision import Violation
from podward.policy.pss.standard import Level
from podward.policy.scc.reason import why_chosen
from podward.policy.scc.selection import Candidate, Verdict

if TYPE_CHECKING:
    from podward.path import Path
    from podward.policy.scc.order import SccRank
    from podward.render.explain.citations import Citations
    from podward.stages.admission.cluster import AdmissionFacts
    from podward.stages.admission.order import Admitted

_NOT_TRIED = "not tried"


def told(facts: AdmissionFacts, admitted: Admitted, citations: Citations, prefix: Path) -> AdmissionExplanation:
    """The ranking, the subjects whose rights counted, and what Pod Security says.

    `prefix` is the Pod's place in the document: what is refused is told at its place there.
    """
    account = admitted.pod.spec.service_account_name
    return AdmissionExplanation(
        facts.request.user.username,
        service_account(facts.request.namespace, account).username if account else "",
        _ranking(facts, admitted, citations, prefix),
        _verdicts(facts, admitted),
        (admitted.mutating.left_alone or "") if admitted.mutating is not None else "",
    )


def _ranking(
    facts: AdmissionFacts, admitted: Admitted, citations: Citations, prefix: Path
) -> tuple[ConsideredScc, ...]:
    """Those that were tried, in their order, then those that nobody came to."""
    policies, selection, request = facts.cluster.policies(), admitted.mutating, admitted.request
    if policies is None or selection is None or request is None:
        return ()
    why = why_chosen(policies, request, selection) if selection.chosen is not None else ""
    tried = {candidate.name for candidate in selection.candidates}
    rows = [_candidate(candidate, why, citations, prefix) for candidate in selection.candidates]
    rows += [_row(entry.rank, _NOT_TRIED, "", ()) for entry in policies.ranked if entry.rank.name not in tried]
    return tuple(rows)


def _candidate(candidate: Candidate, why: str, citations: Citations, prefix: Path) -> ConsideredScc:
    if candidate.verdict is Verdict.CHOSEN:
        grant = candidate.grant
        by = f"; {grant.user} may use it: {citations.cite(grant.source)}" if grant is not None else ""
        return _row(candidate.rank, "chosen", f"{why}{by}", ())
    if candidate.verdict is Verdict.NOT_USABLE:
        return _row(candidate.rank, candidate.verdict.value, "neither the service account nor the caller may", ())
    refused = tuple(Violation(prefix + v.path, v.value, v.reason, v.source) for v in candidate.decision.violations)
    return _row(candidate.rank, candidate.verdict.value, "", refused)


def _row(rank: SccRank, outcome: str, reason: str, refused: tuple[Violation, ...]) -> ConsideredScc:
    points = tuple((item.name, item.points) for item in rank.items)
    return ConsideredScc(rank.name, rank.priority, points, outcome, reason, refused)


def _verdicts(facts: AdmissionFacts, admitted: Admitted) -> tuple[str, ...]:
    """Pod Security in one sentence for each mode that asks for something."""
    found = admitted.verdict
    if found is None:
        return ()
    policy = facts.cluster.pod_security(facts.request.namespace).policy
    modes = (("enforces", policy.enforce, found.enforced), ("audits", policy.audit, found.audited))
    return tuple(
        f"{mode} {standard}: {', '.join(result.check for result in results) or 'nothing against the Pod'}"
        for mode, standard, results in (*modes, ("warns", policy.warn, found.warned))
        if standard.level is not Level.PRIVILEGED
    )
