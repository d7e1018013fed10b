"""How many Pods a PodDisruptionBudget lets go.

Specification: Kubernetes, pkg/controller/disruption/disruption.go. Healthy: ready, not being deleted, and not evicted
within the last two minutes without having gone. A maxUnavailable and a percentage count from the replicas that the
Pods' controllers wish for, a minAvailable that is a number from the Pods that there are; percentages are rounded up.
What cannot be counted allows nothing. A condition DisruptionTarget of a Pod that stays is false after two minutes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps import conditions
from podward.controllers.apps.ownership import is_going, labels_of, name_of
from podward.controllers.apps.pods import condition_of, has_ended, is_ready, moment_of
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written
from podward.schema.strategies.int_or_percent import scaled
from podward.schema.strategies.selectors import selects
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Sequence

ALLOWED, TARGET = "DisruptionAllowed", "DisruptionTarget"
_TIMEOUT = 120.0
"""After so many seconds a Pod that was to be evicted and is still there stays."""
_BY_KUBELET = "TerminationByKubelet"


class Expected(Struct, frozen=True):
    """How many Pods there should be, and how many of them healthy."""

    pods: int
    healthy: int


class Outcome(Struct, frozen=True):
    """The status, the Pods that were to go and did not, and in how many seconds to look again."""

    status: JsonObject
    stayed: tuple[JsonObject, ...] = ()
    again: float | None = None


def covers(budget: JsonObject, pod: JsonObject) -> bool:
    """Whether a budget is about a Pod of its namespace. An empty selector selects every Pod, none selects none."""
    selector = member(budget, "spec").get("selector")
    return isinstance(selector, dict) and selects(selector, labels_of(pod))


def counts_replicas(budget: JsonObject) -> bool:
    """Whether the replicas that controllers wish for count."""
    spec = member(budget, "spec")
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def expected(budget: JsonObject, replicas: int, pods: int) -> Expected:
    """What the budget asks for. `replicas`: those that controllers wish for."""
    spec = member(budget, "spec")
    if (most := spec.get("maxUnavailable")) is not None:
        return Expected(replicas, max(0, replicas - scaled(most, replicas, up=True)))
    least = spec.get("minAvailable")
    if least is None:
        return Expected(0, 0)
    return Expected(replicas if isinstance(least, str) else pods, scaled(least, replicas, up=True))


def decide(budget: JsonObject, pods: Sequence[JsonObject], wanted: Expected, now: float) -> Outcome:
    """What the status is to be."""
    before = member(budget, "status")
    disrupted, stayed, again = dict[str, float](), list[JsonObject](), None
    for pod in pods:
        since = moment_of(member(before, "disruptedPods"), name_of(pod))
        if since is None or is_going(pod):
            continue
        left = since + _TIMEOUT - now
        if left < 0:
            stayed.append(pod)
            continue
        disrupted[name_of(pod)] = since
        again = left if again is None else min(again, left)
    healthy = sum(is_ready(pod) and not is_going(pod) and name_of(pod) not in disrupted for pod in pods)
    allowed = max(0, healthy - wanted.healthy) if wanted.pods > 0 else 0
    status: JsonObject = {
        "observedGeneration": number(member(budget, "metadata"), "generation"),
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": wanted.healthy,
        "expectedPods": wanted.pods,
    }
    if disrupted:
        status["disruptedPods"] = {name: written(since) for name, since in disrupted.items()}
    state, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    seen = number(status, "observedGeneration")
    return Outcome({**status, "conditions": _conditions(budget, state, (reason, ""), now, seen)}, tuple(stayed), again)


def uncounted(budget: JsonObject, why: str, now: float) -> JsonObject:
    """The status where it cannot be told: nothing is allowed."""
    status = member(budget, "status")
    seen = number(status, "observedGeneration")
    return {
        **status,
        "disruptionsAllowed": 0,
        "conditions": _conditions(budget, "False", ("SyncFailed", why), now, seen),
    }


def _conditions(budget: JsonObject, state: str, told: tuple[str, str], now: float, seen: int) -> list[Json]:
    """The conditions: `told` is the reason and the message, `seen` the generation that the status is about."""
    reason, message = told
    before = objects(member(budget, "status"), "conditions")
    found = conditions.find(before, ALLOWED)
    made: JsonObject = {
        **conditions.made(ALLOWED, state, reason, message, now),
        "message": message,
        **({"observedGeneration": seen} if seen else {}),
    }
    if found is not None and found.get("status") == state:
        made["lastTransitionTime"] = found.get("lastTransitionTime")
    if found is None:
        return [*before, made]
    return [made if each is found else each for each in before]


def stale_target(pod: JsonObject, now: float) -> float | None:
    """The seconds until the Pod's condition DisruptionTarget is false; nothing where it has none that is true."""
    found = condition_of(pod, TARGET)
    if is_going(pod) or has_ended(pod) or found is None or found.get("status") != "True":
        return None
    if found.get("reason") == _BY_KUBELET:
        return None
    return max(0.0, (moment_of(found, "lastTransitionTime") or 0.0) + _TIMEOUT - now)


def without_target(pod: JsonObject, now: float) -> JsonObject:
    """The Pod that is not disrupted after all."""
    state = member(pod, "status")
    cleared = conditions.made(TARGET, "False", "", "", now)
    if generation := number(member(pod, "metadata"), "generation"):
        cleared["observedGeneration"] = generation
    listed = [cleared if each.get("type") == TARGET else each for each in objects(state, "conditions")]
    return {**pod, "status": {**state, "conditions": [*listed]}}
