"""Why the mutating pass chose its SCC. It is computed on demand, because it tries SCCs that admission need not try.

Specification: the audit annotation `securitycontextconstraints.admission.openshift.io/reason` of OpenShift
apiserver-library-go, sccadmission/admission.go (July 2026): the SCC is compared with the next one in the order that
the subjects may use and that would admit the Pod.
"""

from __future__ import annotations

from podward.api.gotext import quote
from podward.policy.scc.order import why_before
from podward.policy.scc.passes import subjects
from podward.policy.scc.policies import Policies
from podward.policy.scc.refusal import REQUIRED_ANNOTATION
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.selection import Candidate, Selection, Verdict


def why_chosen(policies: Policies, facts: RequestFacts, selection: Selection) -> str:
    """A sentence about the result of the mutating pass on create; `selection` is the result of `admit` for `facts`."""
    if selection.left_alone is not None:
        return selection.left_alone
    chosen = selection.chosen
    if chosen is None:
        too_restrictive = any(candidate.verdict is not Verdict.NOT_USABLE for candidate in selection.candidates)
        return "all too restrictive or denied" if too_restrictive else "all denied"
    if facts.annotation(REQUIRED_ANNOTATION):
        return f"{quote(chosen.name)} is required by the annotation {REQUIRED_ANNOTATION}"
    following = _next(policies, facts, chosen)
    if following is None:
        return f"{quote(chosen.name)} is the only one not too restrictive and not denied"
    because = why_before(chosen.rank, following.rank)
    return (
        f"{quote(chosen.name)} is most restrictive, not denied, and chosen over {quote(following.name)} "
        f"because {quote(chosen.name)} {because}"
    )


def _next(policies: Policies, facts: RequestFacts, chosen: Candidate) -> Candidate | None:
    """The next SCC in the order that would admit the Pod too."""
    prepared = policies.in_order(facts.namespace, facts.namespace_name, "", None)
    if isinstance(prepared, str):
        return None
    pod_subjects = subjects(facts)
    names = [entry.ranked.rank.name for entry in prepared]
    for entry in prepared[names.index(chosen.name) + 1 :]:
        grant = pod_subjects.grant(entry.ranked.members)
        if grant is None:
            continue
        decision = entry.provider.decide(facts.pod)
        if not decision.violations:
            return Candidate(entry.ranked.rank, Verdict.CHOSEN, grant, decision)
    return None
