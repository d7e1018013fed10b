"""One step of a DaemonSet: on which nodes a Pod is made, which Pods go, and what the status says.

Specification: Kubernetes, pkg/controller/daemon: podsShouldBeOnNode, rollingUpdate and updateDaemonSetStatus. First
every node gets what it lacks and loses what it has too many; Pods that have ended are deleted, failed ones later each
time. Once nothing is left to be done of this, old Pods go as far as maxUnavailable lets them, or new ones come beside
them as far as maxSurge does, and an old one goes when the new one is available. With OnDelete only users delete.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field

from podward.api.json_value import JsonObject
from podward.controllers.apps.daemon_sets.nodes import GENERATION, Verdict, generation_of
from podward.controllers.apps.history import HASH
from podward.controllers.apps.ownership import is_going, labels_of, name_of, namespace_of
from podward.controllers.apps.pods import created_at, is_available, is_ready, node_of, phase_of
from podward.documents.raw_fields import member
from podward.schema.strategies.int_or_percent import scaled
from podward.schema.validation.raw import number

_FAILED, _SUCCEEDED = "FailedDaemonPod", "SucceededDaemonPod"


class Facts(Struct, frozen=True):
    """What a step is decided from.

    `pods`: by node, without those that have ended and are being deleted. `delay`: in how many seconds a failed Pod of a
    node may be deleted; 0: now.
    """

    verdicts: Mapping[str, Verdict]
    pods: Mapping[str, Sequence[JsonObject]]
    hash: str
    now: float
    delay: Callable[[str], float] = lambda _: 0.0


class Plan(Struct):
    """Nodes that get a Pod, Pods that go, the nodes whose failed Pod goes, events, and when to look again."""

    make: list[str] = field(default_factory=list)
    delete: list[JsonObject] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    again: float | None = None


def decide(owner: JsonObject, facts: Facts) -> Plan:
    """The next step."""
    plan = Plan()
    for node, verdict in facts.verdicts.items():
        _place(owner, facts, plan, node, verdict)
    for node, pods in facts.pods.items():
        if node not in facts.verdicts:
            plan.delete += [pod for pod in pods if not node_of(pod)]
    rolling = member(member(owner, "spec"), "updateStrategy").get("type") == "RollingUpdate"
    if plan.make or plan.delete or not rolling:
        return plan
    rolled = _surged(owner, facts) if _limits(owner, facts)[0] else _replaced(owner, facts)
    rolled.again = plan.again
    return rolled


# --- what a node lacks, and has too many ------------------------------------------------------------------------------


def _place(owner: JsonObject, facts: Facts, plan: Plan, node: str, verdict: Verdict) -> None:
    pods = facts.pods.get(node, ())
    if verdict.run and not pods:
        plan.make.append(node)
    elif verdict.stay:
        running = _running(facts, plan, node, pods)
        if not _surges(owner):
            plan.delete += running[1:]
        elif not running and verdict.run:
            plan.make.append(node)
        elif len(running) > 1:
            plan.delete += _beside_each_other(owner, facts, running)
    else:
        plan.delete += [pod for pod in pods if not is_going(pod)]


def _running(facts: Facts, plan: Plan, node: str, pods: Sequence[JsonObject]) -> list[JsonObject]:
    """Those that run, the oldest first; those that have ended are deleted."""
    running = []
    for pod in pods:
        what = f"{namespace_of(pod)}/{name_of(pod)} on node {node}"
        if is_going(pod):
            continue
        if phase_of(pod) == "Failed":
            wait = facts.delay(node)
            if wait > 0:
                plan.again = min(wait, plan.again or wait)
                continue
            plan.failed.append(node)
            plan.delete.append(pod)
            plan.events.append(("Warning", _FAILED, f"Found failed daemon pod {what}, will try to kill it"))
        elif phase_of(pod) == "Succeeded":
            plan.delete.append(pod)
            plan.events.append(("Normal", _SUCCEEDED, f"Found succeeded daemon pod {what}, will try to delete it"))
        else:
            running.append(pod)
    return _oldest_first(running)


def _beside_each_other(owner: JsonObject, facts: Facts, running: list[JsonObject]) -> list[JsonObject]:
    """Of a new and an old Pod on one node the old goes once the new is available; of several the oldest stay."""
    new = [pod for pod in running if labels_of(pod).get(HASH) == facts.hash]
    old = [pod for pod in running if labels_of(pod).get(HASH) != facts.hash]
    gone = [*new[1:], *old[1:]]
    if new and old and (not is_ready(old[0]) or _available(owner, facts, new[0])):
        gone.append(old[0])
    return gone


def _oldest_first(pods: Sequence[JsonObject]) -> list[JsonObject]:
    return sorted(pods, key=lambda pod: (not node_of(pod), created_at(pod), name_of(pod)))


def _available(owner: JsonObject, facts: Facts, pod: JsonObject) -> bool:
    return is_available(pod, number(member(owner, "spec"), "minReadySeconds"), facts.now)


# --- from one revision to the next ------------------------------------------------------------------------------------


def _limits(owner: JsonObject, facts: Facts) -> tuple[int, int]:
    """The maxSurge and maxUnavailable; one Pod may be unavailable where both are none."""
    wanted = sum(verdict.run for verdict in facts.verdicts.values())
    rolling = member(member(member(owner, "spec"), "updateStrategy"), "rollingUpdate")
    surge = scaled(rolling.get("maxSurge"), wanted, up=True)
    unavailable = scaled(rolling.get("maxUnavailable"), wanted, up=True)
    return surge, unavailable if surge or unavailable or not wanted else 1


def _surges(owner: JsonObject) -> bool:
    strategy = member(member(owner, "spec"), "updateStrategy")
    rolling = member(strategy, "rollingUpdate")
    return strategy.get("type") == "RollingUpdate" and scaled(rolling.get("maxSurge"), 1, up=True) > 0


def _of_node(owner: JsonObject, facts: Facts, node: str) -> tuple[list[JsonObject], list[JsonObject]]:
    """The new and the old Pods of a node that are not being deleted."""
    there = [pod for pod in facts.pods.get(node, ()) if not is_going(pod)]
    new = [pod for pod in there if is_updated(owner, pod, facts.hash)]
    return new, [pod for pod in there if pod not in new]


def is_updated(owner: JsonObject, pod: JsonObject, found_hash: str) -> bool:
    """Whether a Pod has the newest template."""
    labels, generation = labels_of(pod), generation_of(owner)
    return labels.get(HASH) == found_hash or (bool(generation) and labels.get(GENERATION) == generation)


def _nodes(facts: Facts) -> list[str]:
    """The nodes that have Pods or want one."""
    return [*facts.pods, *(node for node, each in facts.verdicts.items() if each.run and node not in facts.pods)]


def _replaced(owner: JsonObject, facts: Facts) -> Plan:
    _, most = _limits(owner, facts)
    missing, broken, candidates = 0, list[JsonObject](), list[JsonObject]()
    for node in _nodes(facts):
        new, old = _of_node(owner, facts, node)
        if len(new) + len(old) != 1:
            missing += 1
        elif new:
            missing += not _available(owner, facts, new[0])
        elif not _available(owner, facts, old[0]):
            broken.append(old[0])
            missing += 1
        else:
            candidates.append(old[0])
    return Plan(delete=[*broken, *candidates[: max(0, most - missing)]])


def _surged(owner: JsonObject, facts: Facts) -> Plan:
    most, _ = _limits(owner, facts)
    plan, surging, available = Plan(), 0, 0
    leaving, candidates = list[JsonObject](), list[str]()
    for node in _nodes(facts):
        new, old = _of_node(owner, facts, node)
        if len(new) > 1 or len(old) > 1:
            surging += 1
            continue
        available += any(_available(owner, facts, pod) for pod in (old or new)[:1])
        runs = facts.verdicts.get(node, Verdict(run=False, stay=False)).run
        if not old:
            continue
        healthy = _available(owner, facts, old[0])
        if new and _available(owner, facts, new[0]):
            plan.delete.append(old[0])
        elif new:
            surging += 1
        elif not runs:
            (leaving if healthy else plan.delete).append(old[0])
        else:
            (candidates if healthy else plan.make).append(node)
    wanted = sum(verdict.run for verdict in facts.verdicts.values())
    plan.delete += leaving[: max(0, available - wanted)]
    plan.make += candidates[: max(0, most - surging)]
    return plan


# --- what the status says ---------------------------------------------------------------------------------------------


def status_of(owner: JsonObject, facts: Facts, *, observed: bool) -> JsonObject:
    """The status; `observed`: whether this generation has been acted on."""
    wanted, scheduled, misplaced, ready, updated, available = 0, 0, 0, 0, 0, 0
    for node, verdict in facts.verdicts.items():
        pods = _oldest_first(facts.pods.get(node, ()))
        wanted += verdict.run
        if not pods:
            continue
        if not verdict.run:
            misplaced += 1
            continue
        scheduled += 1
        ready += is_ready(pods[0])
        available += _available(owner, facts, pods[0])
        updated += is_updated(owner, pods[0], facts.hash)
    before = member(owner, "status")
    seen = number(before, "observedGeneration")
    status: JsonObject = {
        "currentNumberScheduled": scheduled,
        "numberMisscheduled": misplaced,
        "desiredNumberScheduled": wanted,
        "numberReady": ready,
    }
    more = {
        "observedGeneration": number(member(owner, "metadata"), "generation") if observed else seen,
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "numberUnavailable": wanted - available,
    }
    status |= {name: value for name, value in more.items() if value}
    kept: JsonObject = {name: before[name] for name in ("collisionCount", "conditions") if name in before}
    return {**status, **kept}
