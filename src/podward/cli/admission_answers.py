"""What a cluster answers about each Pod that `admit` sends, and about ephemeral containers that come into it later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.cli import admitting, subjects
from podward.decision import Assignment, Decision, Origin, Source
from podward.documents.raw_fields import member
from podward.errors import InputError
from podward.schema.workload import PodSource
from podward.stages.admission import debugging
from podward.stages.admission.order import decide

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.stages.admission.cluster import AdmissionFacts
    from podward.stages.admission.debugging import DebugContainer
    from podward.stages.admission.order import Admitted

_LATER = Source(Origin.RULE, "API server, update")


class AdmitAnswer(Struct, frozen=True):
    """A Pod as it is `stored`, None where it is refused; the `decision` that makes that of what was sent.

    `refusals` are sentences, about the Pod or about ephemeral containers that do not come into it.
    """

    source: PodSource
    stored: JsonObject | None
    decision: Decision
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def answer_to(source: PodSource, admission: admitting.Admission) -> AdmitAnswer:
    """The answer to the request that creates a Pod, and to those that add its ephemeral containers.

    Raises InputError where something is no valid part of a Pod.
    """
    facts = admission.facts(source)
    later = subjects.added_later(source)
    if later:
        facts = subjects.without_debugging(facts)
    admitted = decide(facts)
    if admitted.refused:
        return AdmitAnswer(source, None, Decision(), admitted.warnings, (admitting.refusal(source, admitted),))
    if not later:
        return AdmitAnswer(source, admitted.stored, admitted.decision, admitted.warnings)
    return _with_later(source, facts, admitted, later)


def _with_later(source: PodSource, facts: AdmissionFacts, admitted: Admitted, later: list[JsonObject]) -> AdmitAnswer:
    found = debugging.debugged(facts, admitted.stored, later)
    invalid = [v for answer in found.answers if answer.invalid for v in answer.decision.violations]
    if invalid:
        listed = "\n".join(f"* {source.where(v.path)}: {source.prefix + v.path}: {v.reason}" for v in invalid)
        raise InputError(f'{source.kind} "{source.name}" is invalid:\n{listed}')
    there = member(found.stored, "spec").get(debugging.FIELD)
    added = Assignment(debugging.PLACE, there, "those that are let in", _LATER)
    return AdmitAnswer(
        source,
        found.stored,
        Decision((*admitted.decision.assignments, added)),
        (*admitted.warnings, *(warning for answer in found.answers for warning in answer.warnings)),
        tuple(_refusal(source, answer) for answer in found.refused),
    )


def _refusal(source: PodSource, answer: DebugContainer) -> str:
    reasons = "\n".join(violation.reason for violation in answer.decision.violations)
    where = source.where(debugging.PLACE / answer.index)
    return f"{where}: ephemeral container {answer.name}: Error from server (Forbidden): {reasons}"
