"""The API server's steps in their order, and the two questions that are asked of them.

`STEPS` is the order of Kubernetes and OpenShift 4.2x, and the only place where it is written: defaulting; the
mutating plugins; PrepareForCreate, and a name, or PrepareForUpdate; validation; the validating plugins. `decide` ends
at the first refusal, as a server does; `everything` goes on, for those who want to know all that is wrong. Both refuse
if one step does.

Going on means: what a plugin that refuses would have set is not stored, but the validating plugins see the object as
if it had been set, so that they say what would still be wrong once the Pod is admitted. A plugin that has refused is
not asked again in a later phase: it would say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.admission import AdmissionRequest, Operation
from podward.api.caller import User
from podward.decision import Decision, merge
from podward.stages.admission import plugins, registry
from podward.stages.admission.cluster import NO_CLUSTER, AdmissionFacts
from podward.stages.admission.steps import (
    Asked,
    Outcome,
    Phase,
    Step,
    adds_ephemeral_containers,
    creates_pod,
    writes,
    writes_pod,
)

if TYPE_CHECKING:  # `podward run` asks for no policy, and these take longer to import than to use
    from podward.api.core import Pod
    from podward.api.json_value import JsonObject
    from podward.policy.pss.verdict import Verdict
    from podward.policy.scc.request import RequestFacts
    from podward.policy.scc.selection import Selection

SCC, VALIDATION = "SecurityContextConstraint", "Validation"
INLINE_VOLUMES = "CSIInlineVolumeSecurity"

STEPS = (
    Step("Defaulting", Phase.REGISTRY, writes_pod, registry.defaulted),
    Step("ServiceAccount", Phase.MUTATING, creates_pod, plugins.service_account),
    Step(SCC, Phase.MUTATING, writes_pod, plugins.choose_scc),
    Step("PrepareForCreate", Phase.REGISTRY, creates_pod, registry.prepared),
    Step("PrepareForUpdate", Phase.REGISTRY, adds_ephemeral_containers, registry.kept),
    Step(VALIDATION, Phase.REGISTRY, writes, registry.validated),
    Step(SCC, Phase.VALIDATING, writes_pod, plugins.validate_scc),
    Step("PodSecurity", Phase.VALIDATING, plugins.concerns_standards, plugins.pod_security),
    Step(INLINE_VOLUMES, Phase.VALIDATING, creates_pod, plugins.inline_volumes),
)
"""Every step, in the API server's order. A plugin that both mutates and validates has a row for each."""


def without(*disabled: str) -> tuple[Step, ...]:
    """The steps of a server whose `--disable-admission-plugins` names these."""
    return tuple(step for step in STEPS if step.name not in disabled)


REGISTRY = tuple(step for step in STEPS if step.phase is Phase.REGISTRY)
"""The steps of a server without any plugin."""
PLUGINS = tuple(step for step in STEPS if step.phase is not Phase.REGISTRY)
"""The steps of whoever is asked beside a server, which has its own registry: a webhook."""
SCC_PASSES = tuple(step for step in STEPS if step.name == SCC)
"""SCC admission alone."""
_UNASKED = without(SCC, "PodSecurity", INLINE_VOLUMES)
_COMPLETING = tuple(step for step in REGISTRY if step.name != VALIDATION)


class Admitted(Struct, frozen=True):
    """What admission decided.

    `decision` is what is set, or the refusal: violations whose reasons are the API server's sentences. `outcomes` are
    those of the steps, in their order. `object` is the object with all that was set before a refusal; `intended` has
    what plugins that refuse it would have set too.
    """

    decision: Decision
    outcomes: tuple[Outcome, ...]
    object: Asked
    intended: Asked

    @property
    def stored(self) -> JsonObject:
        """The object as it would be stored."""
        return self.object.raw

    @property
    def pod(self) -> Pod:
        """The view of `stored`."""
        return self.object.pod

    @property
    def refused(self) -> bool:
        """Whether nothing is stored."""
        return self.decision.refused

    @property
    def invalid(self) -> bool:
        """Whether a refusal is validation's: its violations are each about one field."""
        return any(outcome.invalid for outcome in self.outcomes)

    @property
    def mutating(self) -> Selection | None:
        """The SCC pass that chose; None on a cluster without SCCs."""
        return next(iter(self._selections()), None)

    @property
    def selection(self) -> Selection | None:
        """The SCC pass that had the last word; None on a cluster without SCCs."""
        return next(reversed(self._selections()), None)

    @property
    def request(self) -> RequestFacts | None:
        """What the mutating SCC pass was asked."""
        return next((outcome.request for outcome in self.outcomes if outcome.request is not None), None)

    @property
    def verdict(self) -> Verdict | None:
        """Pod Security's; None where nobody came so far."""
        return next((outcome.verdict for outcome in self.outcomes if outcome.verdict is not None), None)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client is told beside the answer."""
        of_standards = self.verdict.warnings if self.verdict is not None else ()
        return (*of_standards, *(warning for outcome in self.outcomes for warning in outcome.warnings))

    def _selections(self) -> list[Selection]:
        return [outcome.selection for outcome in self.outcomes if outcome.selection is not None]


def decide(facts: AdmissionFacts, steps: Sequence[Step] = STEPS) -> Admitted:
    """What is stored, or the first refusal."""
    course = _Course(facts)
    for step in steps:
        if course.take(step):
            break
    return course.admitted()


def everything(facts: AdmissionFacts, steps: Sequence[Step] = STEPS) -> Admitted:
    """What is stored, or every refusal."""
    course = _Course(facts)
    for step in steps:
        course.take(step)
    return course.admitted()


def by_registry(raw: JsonObject, workload: str = "Pod") -> Admitted:
    """A new Pod where no policy is asked about; `workload` is the kind whose Pod it is.

    Of the plugins only ServiceAccount is asked: validation counts on it.
    """
    return decide(_creation(raw, workload), _UNASKED)


def completed(raw: JsonObject) -> Admitted:
    """A new Pod as such a server has it before it validates it."""
    return decide(_creation(raw, "Pod"), _COMPLETING)


def _creation(raw: JsonObject, workload: str) -> AdmissionFacts:
    return AdmissionFacts(AdmissionRequest(Operation.CREATE, raw, User()), NO_CLUSTER, workload)


class _Course:
    """A request on its way through the steps."""

    def __init__(self, facts: AdmissionFacts) -> None:
        self._facts = facts
        self._object = self._intended = Asked(facts, facts.request.object or {})
        self._outcomes: list[Outcome] = []
        self._refused_by: set[str] = set()
        self._made: list[Decision] = []
        self._would_set = Decision()

    def take(self, step: Step) -> bool:
        """Take a step, if it has a say in the request; whether it refuses."""
        if step.name in self._refused_by or not step.handles(self._facts.request):
            return False
        outcome = step.decide(self._intended if step.phase is Phase.VALIDATING else self._object)
        self._outcomes.append(outcome)
        decision = outcome.decision
        if decision.violations:
            self._refused_by.add(step.name)
            self._would_set += outcome.would_set
        elif decision.assignments:
            self._made.append(decision)
            self._object = Asked(self._facts, self._object.raw, decision)
        if decision.assignments or outcome.would_set.assignments:
            self._intended = self._object
            if self._would_set.assignments:
                self._intended = Asked(self._facts, self._object.raw, self._would_set)
        return bool(decision.violations)

    def admitted(self) -> Admitted:
        """What has come of the steps that were taken."""
        refused = [violation for outcome in self._outcomes for violation in outcome.decision.violations]
        decision = Decision(violations=tuple(refused)) if refused else merge(*self._made)
        return Admitted(decision, tuple(self._outcomes), self._object, self._intended)
