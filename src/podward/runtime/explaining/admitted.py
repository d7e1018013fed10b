"""The explanation of a Pod that a cluster's admission was asked about: what later stages owe to it is traced to it."""

from __future__ import annotations

import msgspec

from podward.api.explanation import ContainerExplanation, PodExplanation, Stage
from podward.decision import Assignment, Decision, Origin, Source, Violation
from podward.path import Path
from podward.runtime.explaining.subject import PodToExplain

_SECURITY = "securityContext"


def with_admission(pod: PodExplanation, subject: PodToExplain, of_pod: Decision) -> PodExplanation:
    """The explanation with the admission stage before all others, and what they owe to it traced to it.

    `of_pod` is what admission decided about the Pod. An ephemeral container that it refuses has no other stage.
    """
    admitted = Decision((*of_pod.assignments, *subject.debugging.assignments))
    whole = tuple(a for a in admitted.assignments if _owner(a.path, pod) is None)
    about_containers = [a for a in whole if _SECURITY in a.path.segments]
    containers = []
    for container in pod.containers:
        refused = subject.refusals_of(container.place)
        if refused:
            only = (Stage("admission", Decision(violations=refused)),)
            containers.append(msgspec.structs.replace(container, stages=only, hints=(), predicted=None))
            continue
        own = [a for a in admitted.assignments if a.path.startswith(container.place)]
        first = Stage("admission", Decision((*about_containers, *own)))
        later = tuple(Stage(stage.name, attributed(stage.decision, admitted)) for stage in container.stages)
        containers.append(msgspec.structs.replace(container, stages=(first, *later)))
    later = tuple(Stage(stage.name, attributed(stage.decision, admitted)) for stage in pod.stages[1:])
    said = tuple(a for a in whole if _SECURITY not in a.path.segments)
    stages = (pod.stages[0], Stage("admission", Decision(said)), *later)
    return msgspec.structs.replace(pod, stages=stages, containers=tuple(containers), admission=subject.admission)


def attributed(decision: Decision, admitted: Decision) -> Decision:
    """The Decision of a later stage with what it took for the manifest's own words traced to who wrote them.

    A stage reads the Pod as it is stored: what admission put there looks like the manifest. `admitted` is admission's
    Decision, its places in the manifest; whoever decided there is whom the later value is owed to. Of an object in a
    security context that is the manifest's in part, what admission put into it counts: the manifest does not show it.
    """

    def owner(source: Source) -> Source:
        place = source.path
        if source.origin is not Origin.MANIFEST or place is None:
            return source
        found = admitted.assignment(place)
        if found is None and _SECURITY in place.segments[:-1]:
            found = next((a for a in reversed(admitted.assignments) if a.path.startswith(place)), None)
        return found.source if found is not None else source

    return Decision(
        tuple(Assignment(a.path, a.value, a.reason, owner(a.source)) for a in decision.assignments),
        tuple(Violation(v.path, v.value, v.reason, owner(v.source)) for v in decision.violations),
    )


def _owner(place: Path, pod: PodExplanation) -> ContainerExplanation | None:
    """The container that a place of the document is in."""
    return next((container for container in pod.containers if place.startswith(container.place)), None)
