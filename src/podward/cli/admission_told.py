"""How admission came to its answer, as `explain` tells it: every SCC in the order of trying, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.caller import service_account
from podward.api.explanation import Admission, Considered
from podward.policy.pss.standard import Level
from podward.policy.scc.reason import why_chosen
from podward.policy.scc.selection import Candidate, Selection, Verdict

if TYPE_CHECKING:
    from podward.policy.scc.order import Standing
    from podward.policy.scc.policies import Policies
    from podward.stages.admission import AdmissionFacts, Admitted

_NOT_TRIED = "not tried"


def told(facts: AdmissionFacts, admitted: Admitted) -> Admission:
    """The ranking, the subjects whose rights counted, and what Pod Security says."""
    request = admitted.request
    account = request.account if request is not None else ""
    return Admission(
        facts.user.username,
        service_account(facts.namespace, account).username if account else "",
        _ranking(facts, admitted),
        _verdicts(facts, admitted),
    )


def _ranking(facts: AdmissionFacts, admitted: Admitted) -> tuple[Considered, ...]:
    policies, selection, request = facts.cluster.policies, admitted.mutating, admitted.request
    if policies is None or selection is None or request is None:
        return ()
    why = why_chosen(policies, request, selection) if selection.chosen is not None else ""
    return _tried(policies, selection, why)


def _tried(policies: Policies, selection: Selection, why: str) -> tuple[Considered, ...]:
    """Those that were tried, in their order, then those that nobody came to."""
    tried = {candidate.name: candidate for candidate in selection.candidates}
    rows = [_candidate(candidate, why) for candidate in selection.candidates]
    rows += [
        _row(entry.standing, _NOT_TRIED, "", None) for entry in policies.ranked if entry.standing.name not in tried
    ]
    return tuple(rows)


def _candidate(candidate: Candidate, why: str) -> Considered:
    if candidate.verdict is Verdict.CHOSEN:
        grant = candidate.grant
        by = f"; {grant.user} may use it: {grant.source}" if grant is not None else ""
        return _row(candidate.standing, "chosen", f"{why}{by}", None)
    if candidate.verdict is Verdict.NOT_USABLE:
        return _row(candidate.standing, candidate.verdict.value, "neither the service account nor the caller may", None)
    return _row(candidate.standing, candidate.verdict.value, "", candidate)


def _row(standing: Standing, outcome: str, reason: str, candidate: Candidate | None) -> Considered:
    points = tuple((item.name, item.points) for item in standing.items)
    violations = candidate.decision.violations if candidate is not None else ()
    return Considered(standing.name, standing.priority, points, outcome, reason, violations)


def _verdicts(facts: AdmissionFacts, admitted: Admitted) -> tuple[str, ...]:
    """Pod Security in one sentence for each mode that asks for something."""
    found = admitted.verdict
    if found is None:
        return ()
    policy = facts.cluster.pod_security(facts.namespace).policy
    modes = (("enforces", policy.enforce, found.enforced), ("audits", policy.audit, found.audited))
    return tuple(
        f"{mode} {standard}: {', '.join(result.check for result in results) or 'nothing against the Pod'}"
        for mode, standard, results in (*modes, ("warns", policy.warn, found.warned))
        if standard.level is not Level.PRIVILEGED
    )
