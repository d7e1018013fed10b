"""The two passes of SCC admission: the mutating one, which sets values, and the validating one, which only looks.

Specification: OpenShift apiserver-library-go, sccadmission/admission.go:
- on create the mutating pass takes the first SCC that is usable and fits, whatever it sets; on an update only one that
  sets nothing, except that an update of `ephemeralcontainers` may set what is inside of the ephemeral containers;
- it notes the SCC and whose right it was in two annotations; both are set anew on every update that is decided;
- an update may not change the annotation that requires an SCC;
- the validating pass tries the SCC first that the annotation names, then the rest in order, and takes one that sets
  nothing; whatever the annotation says, it stays. If an SCC is required, the two annotations must agree.
Between the passes others may change the Pod: that is why there are two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from podward.api.admission import Operation
from podward.api.scc import SecurityContextConstraints
from podward.decision import Assignment, Decision, Origin, Source
from podward.path import Key, path
from podward.policy.scc import refusal
from podward.policy.scc.access import Subjects
from podward.policy.scc.policies import STANDARD_NAMES, Policies
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.selection import Candidate, Selection, Verdict, errors, refused, try_in_order
from podward.policy.scc.updates import why_left_alone

SCC_ANNOTATION = "openshift.io/scc"
"""The SCC that admitted the Pod."""
SUBJECT_ANNOTATION = "security.openshift.io/validated-scc-subject-type"
"""Whose right to use it was the reason: the service account's or the user's."""

_ANNOTATIONS = path("metadata", "annotations")
_SCC_PLACE = _ANNOTATIONS / Key(SCC_ANNOTATION)
_SUBJECT_PLACE = _ANNOTATIONS / Key(SUBJECT_ANNOTATION)
_EPHEMERAL = path("spec", "ephemeralContainers")
_NAME = path("metadata", "name")


def prepare(sccs: Iterable[SecurityContextConstraints], required_names: Collection[str] = STANDARD_NAMES) -> Policies:
    """SCCs ready to be applied to many Pods; every Pod is refused as long as one of `required_names` is missing."""
    return Policies(sccs, required_names)


def admit(policies: Policies, facts: RequestFacts) -> Selection:
    """The mutating pass."""
    reason = why_left_alone(facts)
    if reason is not None:
        return Selection(left_alone=reason)
    required = facts.annotation(refusal.REQUIRED_ANNOTATION)
    creating = facts.operation is Operation.CREATE
    if not creating and required != facts.old_annotation(refusal.REQUIRED_ANNOTATION):
        return refused(facts.pod, refusal.REQUIRED_CHANGED)
    prepared = policies.in_order(facts.namespace, facts.namespace_name, required, None if creating else "")
    if isinstance(prepared, str):
        return refused(facts.pod, prepared)
    tried = try_in_order(prepared, facts.pod, subjects(facts), _may_set(facts))
    chosen = _chosen(tried)
    if chosen is None:
        return refused(facts.pod, refusal.unable_to_admit(errors(tried, prepared, facts.pod)), tried)
    return Selection(tried, chosen, chosen.decision + _annotated(facts, chosen))


def validate(policies: Policies, facts: RequestFacts) -> Selection:
    """The validating pass: it sets nothing."""
    reason = why_left_alone(facts)
    if reason is not None:
        return Selection(left_alone=reason)
    required = facts.annotation(refusal.REQUIRED_ANNOTATION)
    suggested = facts.annotation(SCC_ANNOTATION)
    if required and required != suggested:
        return refused(facts.pod, refusal.required_mismatch(required, suggested))
    prepared = policies.in_order(facts.namespace, facts.namespace_name, required, suggested)
    if isinstance(prepared, str):
        return refused(facts.pod, prepared)
    tried = try_in_order(prepared, facts.pod, subjects(facts), _nothing)
    chosen = _chosen(tried)
    if chosen is None:
        return refused(facts.pod, refusal.unable_to_validate(errors(tried, prepared, facts.pod)), tried)
    return Selection(tried, chosen)


def subjects(facts: RequestFacts) -> Subjects:
    """Who is asked for the right to use an SCC."""
    return Subjects(facts.account, facts.user, facts.namespace_name, facts.authorizer)


def _chosen(tried: tuple[Candidate, ...]) -> Candidate | None:
    return tried[-1] if tried and tried[-1].verdict is Verdict.CHOSEN else None


def _may_set(facts: RequestFacts) -> Callable[[Decision], bool]:
    """Which assignments the mutating pass may make."""
    if facts.operation is Operation.CREATE:
        return _anything
    return _inside_ephemeral if facts.subresource == "ephemeralcontainers" else _nothing


def _anything(_decision: Decision) -> bool:
    return True


def _nothing(decision: Decision) -> bool:
    return not decision.assignments


def _inside_ephemeral(decision: Decision) -> bool:
    return all(assignment.path.startswith(_EPHEMERAL) for assignment in decision.assignments)


def _annotated(facts: RequestFacts, chosen: Candidate) -> Decision:
    """The two annotations, as far as they do not say so already."""
    made: list[Assignment] = []
    grant = chosen.grant
    if facts.annotation(SCC_ANNOTATION) != chosen.name:
        source = Source(Origin.POLICY, f"scc {chosen.name}", _NAME)
        made.append(Assignment(_SCC_PLACE, chosen.name, "the first that may be used and that the Pod fits", source))
    if grant is not None and facts.annotation(SUBJECT_ANNOTATION) != grant.subject_type:
        reason = f"{grant.user} may use scc {chosen.name}"
        made.append(Assignment(_SUBJECT_PLACE, grant.subject_type, reason, grant.source))
    return Decision(tuple(made))
