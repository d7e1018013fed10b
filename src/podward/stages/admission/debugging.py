"""Whether admission lets ephemeral containers into a Pod that is there: one request for each, as `kubectl debug` sends.

Specification: Kubernetes, `pods/ephemeralcontainers`: an update of that subresource, which goes through the steps of
`order` as other requests do. Pod Security looks at an update that brings an ephemeral container, and SCC admission may
set what is inside of it. What is refused does not come into the Pod, and the next one is asked about without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.admission import AdmissionRequest, Operation
from podward.decision import Assignment, Decision, Violation
from podward.documents.raw_fields import member
from podward.errors import LimitError
from podward.path import Path, path
from podward.stages.admission.order import Admitted, decide
from podward.stages.admission.steps import EPHEMERAL_CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import JsonObject
    from podward.stages.admission.cluster import AdmissionFacts

FIELD = "ephemeralContainers"
PLACE = path("spec", FIELD)
MOST = 100
"""So many requests are asked about for one Pod."""


class DebugContainer(Struct, frozen=True):
    """A container of the list, and what admission answers to the request that brings it.

    `decision` is what is set in it, or why it is refused, with its place in the Pod as it is written. `invalid`: the
    reasons are validation's.
    """

    index: int
    name: str
    decision: Decision
    invalid: bool = False
    warnings: tuple[str, ...] = ()


class Debugged(Struct, frozen=True):
    """A Pod with the ephemeral containers that were let in, and the answer to each."""

    stored: JsonObject
    answers: tuple[DebugContainer, ...]

    @property
    def refused(self) -> tuple[DebugContainer, ...]:
        """Those that do not come into the Pod."""
        return tuple(answer for answer in self.answers if answer.decision.refused)

    @property
    def decision(self) -> Decision:
        """What is set in those that do."""
        return Decision(tuple(a for answer in self.answers for a in answer.decision.assignments))


def debugged(created: AdmissionFacts, stored: JsonObject, containers: Sequence[JsonObject]) -> Debugged:
    """Ask about each of these containers; `created` is the request that made the Pod, `stored` what came of it.

    Raises LimitError for more of them than anybody adds.
    """
    if len(containers) > MOST:
        what = f"{len(containers):,} ephemeral containers, and a request is asked about for each"
        raise LimitError(what, advice=f"leave {MOST} at most")
    pod, answers = stored, []
    for index, container in enumerate(containers):
        there = member(pod, "spec").get(FIELD)
        count = len(there) if isinstance(there, list) else 0
        answer = decide(_request(created, pod, container))
        if not answer.refused:
            pod = answer.stored
        answers.append(_answer(answer, index, count, str(container.get("name") or "")))
    return Debugged(pod, tuple(answers))


def _request(created: AdmissionFacts, old: JsonObject, container: JsonObject) -> AdmissionFacts:
    """The update that adds a container."""
    spec = member(old, "spec")
    there = spec.get(FIELD)
    new = {**old, "spec": {**spec, FIELD: [*(there if isinstance(there, list) else ()), container]}}
    name = str(member(old, "metadata").get("name") or "")
    sent = created.request
    request = AdmissionRequest(
        Operation.UPDATE, new, sent.user, sent.namespace, name, old, subresource=EPHEMERAL_CONTAINERS
    )
    return structs.replace(created, request=request, workload="Pod", generated_name="")


def _answer(answer: Admitted, index: int, there: int, name: str) -> DebugContainer:
    """The answer, its places those of the container as it is written; `there` is its place in the request."""
    asked, written = PLACE / there, PLACE / index

    def at(place: Path) -> Path:
        inside = place.startswith(asked)
        return written + Path(place.segments[len(asked.segments) :]) if inside else written

    assignments = tuple(
        Assignment(at(a.path), a.value, a.reason, a.source)
        for a in answer.decision.assignments
        if a.path.startswith(asked)
    )
    violations = tuple(Violation(at(v.path), v.value, v.reason, v.source) for v in answer.decision.violations)
    return DebugContainer(index, name, Decision(assignments, violations), answer.invalid, answer.warnings)
