"""The conditions of a Pod that the kubelet owns.

Specification (kubelet, pkg/kubelet/status generate.go, in our words):
- PodReadyToStartContainers: no new sandbox is needed.
- Initialized: every init container has succeeded, every sidecar has started; or a regular container has been started at
  some time. Once true while all containers begin anew, it stays so.
- ContainersReady: every regular container and every sidecar is ready. In a terminal phase it is false, for PodCompleted
  or PodFailed.
- Ready: besides, each readiness gate's condition is true.
- PodScheduled is true for whatever is here.
- AllContainersRestarting, only where a container has such a rule: whether they begin anew, and some run is left.
- Of resources that change it is told what is pending and what goes on (`resizing`), with the time at which that was
  found out; the time of transition is that of the reason.
- A condition keeps its time of transition while its status stays, and tells the generation of the Pod it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from podward.api.core import Container, Pod
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.pod_seen import PodSeen, ResizeTold
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import moments, pod_sandbox, restarts
from podward.policy.kubelet.container_kinds import Kind, of_init
from podward.policy.kubelet.container_statuses import restarting_all
from podward.policy.kubelet.pod_phase import FAILED, SUCCEEDED, TERMINAL

OWN = frozenset(
    (
        "PodScheduled",
        "Ready",
        "Initialized",
        "ContainersReady",
        "PodResizeInProgress",
        "PodResizePending",
        "PodReadyToStartContainers",
        "AllContainersRestarting",
    )
)
"""The types that nobody but the kubelet sets."""
DISRUPTION = "DisruptionTarget"
"""The type that others set too."""
_Fits = Callable[[Container, JsonObject], bool]
_TERMINAL_REASONS = {FAILED: "PodFailed", SUCCEEDED: "PodCompleted"}


class Condition(Struct, frozen=True):
    """A condition before it has its time."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


class Phased(Struct, frozen=True):
    """A Pod with the phase and the statuses of containers that it has now, and the status it had before."""

    pod: Pod
    document: JsonObject
    phase: str
    statuses: tuple[JsonObject, ...]
    before: JsonObject
    seen: PodSeen


def decide(facts: Phased) -> list[Json]:
    """All conditions of the new status: first those of others, then the kubelet's own."""
    listed = objects(member(facts.document, "status"), "conditions")
    others = [row for row in listed if row.get("type") not in OWN and row.get("type") != DISRUPTION]
    ready = containers_ready(facts)
    own = [
        _sandbox(facts),
        _initialized(facts),
        _ready(facts, ready, others),
        ready,
        Condition("PodScheduled", status=True),
        *_restarting(facts),
    ]
    timed: list[Json] = [*others, *_disruption(facts), *(_timed(condition, facts) for condition in own)]
    return [*timed, *(_resize(told, facts) for told in facts.seen.resizes)]


def _resize(told: ResizeTold, facts: Phased) -> JsonObject:
    """A resize that is pending or goes on, of the generation that asked for it."""
    made = _timed(Condition(told.type, True, told.reason, told.message), facts)
    if told.generation:
        made["observedGeneration"] = told.generation
    now = moments.of(facts.seen.now)
    before = next((row for row in objects(facts.before, "conditions") if row.get("type") == told.type), {})
    told_before = all(before.get(name) == made.get(name) for name in ("observedGeneration", "reason", "message"))
    made["lastProbeTime"] = before.get("lastProbeTime") or now if told_before else now
    if before.get("reason") != made.get("reason"):
        made["lastTransitionTime"] = now
    return made


def _timed(condition: Condition, facts: Phased) -> JsonObject:
    status = "True" if condition.status else "False"
    made: JsonObject = {"type": condition.type}
    generation = member(facts.document, "metadata").get("generation")
    if generation and condition.type != "AllContainersRestarting":
        made["observedGeneration"] = generation
    made.update(status=status, lastProbeTime=None, lastTransitionTime=_since(condition.type, status, facts))
    if condition.reason:
        made["reason"] = condition.reason
    if condition.message:
        made["message"] = condition.message
    return made


def _since(kind: str, status: str, facts: Phased) -> Json:
    for row in objects(facts.before, "conditions"):
        if row.get("type") == kind and row.get("status") == status and row.get("lastTransitionTime"):
            return row["lastTransitionTime"]
    return moments.of(facts.seen.now)


def _disruption(facts: Phased) -> list[JsonObject]:
    ending = facts.seen.ending
    if ending is not None and ending.disruption:
        condition = Condition(DISRUPTION, True, "TerminationByKubelet", ending.disruption)
        return [_timed(condition, facts)]
    documents = (facts.before, member(facts.document, "status"))
    for document in documents:
        for row in objects(document, "conditions"):
            if row.get("type") == DISRUPTION:
                return [row]
    return []


def containers_ready(facts: Phased) -> Condition:
    """The condition ContainersReady."""
    kind = "ContainersReady"
    if not facts.statuses:
        return Condition(kind, status=False, reason="UnknownContainerStatuses")
    spec = facts.pod.spec
    sidecars = [container for container in spec.init_containers or () if of_init(container) is Kind.SIDECAR]
    unknown, unready = _sorted(facts, (*sidecars, *(spec.containers or ())), lambda _, row: row.get("ready") is True)
    if facts.phase == FAILED or (facts.phase == SUCCEEDED and not unknown):
        return Condition(kind, status=False, reason=_TERMINAL_REASONS[facts.phase])
    message = _message(unknown, unready, "unready")
    if message:
        return Condition(kind, False, "ContainersNotReady", message)
    return Condition(kind, status=True)


def gates(document: JsonObject) -> tuple[tuple[Json, Json], ...]:
    """The readiness gates of a Pod, each with the status of its condition, None where there is none."""
    known = {row.get("type"): row.get("status") for row in objects(member(document, "status"), "conditions")}
    wanted = (gate.get("conditionType") for gate in objects(member(document, "spec"), "readinessGates"))
    return tuple((kind, known.get(kind)) for kind in wanted)


def _ready(facts: Phased, containers: Condition, others: list[JsonObject]) -> Condition:
    if not containers.status:
        return Condition("Ready", False, containers.reason, containers.message)
    known = {row.get("type"): row.get("status") for row in others}
    missing = []
    for gate in objects(member(facts.document, "spec"), "readinessGates"):
        kind = str(gate.get("conditionType"))
        if kind not in known:
            missing.append(f"corresponding condition of pod readiness gate {quote(kind)} does not exist.")
        elif known[kind] != "True":
            missing.append(f'the status of pod readiness gate {quote(kind)} is not "True", but {known[kind]}')
    if missing:
        return Condition("Ready", False, "ReadinessGatesNotReady", ", ".join(missing))
    return Condition("Ready", status=True)


def _sandbox(facts: Phased) -> Condition:
    needed = pod_sandbox.need(facts.pod.spec, facts.seen.sandboxes).new
    return Condition("PodReadyToStartContainers", status=not needed)


def _initialized(facts: Phased) -> Condition:
    kind, listed = "Initialized", facts.pod.spec.init_containers or ()
    if not facts.statuses and listed:
        return Condition(kind, status=False, reason="UnknownContainerStatuses")
    unknown, incomplete = _sorted(facts, listed, _is_done)
    if facts.phase == SUCCEEDED and not unknown:
        return Condition(kind, status=True, reason="PodCompleted")
    if _has_begun(facts):
        return Condition(kind, status=True)
    message = _message(unknown, incomplete, "incomplete")
    was = any(row.get("type") == kind and row.get("status") == "True" for row in objects(facts.before, "conditions"))
    if message and not was:
        return Condition(kind, False, "ContainersNotInitialized", message)
    return Condition(kind, status=True)


def _is_done(container: Container, status: JsonObject) -> bool:
    return status.get("started" if of_init(container) is Kind.SIDECAR else "ready") is True


def _has_begun(facts: Phased) -> bool:
    regular = {container.name for container in facts.pod.spec.containers or ()}
    return any(
        status.get("name") in regular and not {"running", "terminated"}.isdisjoint(member(status, "state"))
        for status in facts.statuses
    )


def _restarting(facts: Phased) -> list[Condition]:
    spec, kind = facts.pod.spec, "AllContainersRestarting"
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    if not any(restarts.may_restart_all(container) for container in containers):
        return []
    if facts.phase in TERMINAL:
        return [Condition(kind, status=False, reason=_TERMINAL_REASONS[facts.phase])]
    removed = all(facts.seen.newest(container.name) is None for container in containers)
    if removed or not restarting_all(facts.pod, facts.before, facts.seen):
        return [Condition(kind, status=False)]
    return [Condition(kind, True, "RestartAllContainersStarted", "container exited with restart policy rule")]


def _sorted(facts: Phased, containers: Iterable[Container], fits: _Fits) -> tuple[list[str], list[str]]:
    """The names of those without a status, and of those whose status does not fit."""
    by_name = {status.get("name"): status for status in facts.statuses}
    unknown, wrong = [], []
    for container in containers:
        status = by_name.get(container.name)
        if status is None:
            unknown.append(container.name)
        elif not fits(container, status):
            wrong.append(container.name)
    return unknown, wrong


def _message(unknown: list[str], wrong: list[str], word: str) -> str:
    parts = []
    if unknown:
        parts.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if wrong:
        parts.append(f"containers with {word} status: [{' '.join(wrong)}]")
    return ", ".join(parts)
