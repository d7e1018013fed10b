"""What the status of a DeploymentConfig says.

Specification: openshift/openshift-controller-manager, pkg/apps/deploymentconfig: calculateStatus, updateConditions.
Available: no more Pods are unavailable than may be, and there is one. Progressing: as the phase of the latest rollout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps import conditions
from podward.controllers.apps.ownership import name_of
from podward.controllers.deployment_configs.rollouts import (
    COMPLETE,
    FAILED,
    RUNNING,
    is_cancelled,
    latest_first,
    phase_of,
    size_of,
    version_of,
)
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written
from podward.schema.openshift.rollouts import latest_of
from podward.schema.strategies.int_or_percent import scaled
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import JsonObject

PROGRESSING, AVAILABLE = "Progressing", "Available"
UPDATED = "ReplicationControllerUpdated"


def condition(kind: str, state: str, reason: str, message: str, now: float) -> JsonObject:
    """A condition of a DeploymentConfig."""
    return {**conditions.made(kind, state, reason, message, now), "lastUpdateTime": written(now)}


def latest(config: JsonObject, controllers: Sequence[JsonObject]) -> JsonObject | None:
    """The controller of the latest rollout, if it has been made."""
    found = next(iter(latest_first(controllers)), None)
    return found if found is not None and latest_of(config) and version_of(found) == latest_of(config) else None


def calculated(
    config: JsonObject, controllers: Sequence[JsonObject], now: float, more: JsonObject | None = None
) -> JsonObject:
    """The status; its observedGeneration stays while a rollout runs. `more`: a condition of this step."""
    before, current = member(config, "status"), latest(config, controllers)
    available = sum(_state(each, "availableReplicas") for each in controllers)
    generation = number(member(config, "metadata"), "generation")
    status: JsonObject = {
        "latestVersion": latest_of(config),
        "observedGeneration": generation,
        "replicas": sum(_state(each, "replicas") for each in controllers),
        "updatedReplicas": _state(current, "replicas") if current is not None else 0,
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(size_of, controllers)) - available),
    }
    if ready := sum(_state(each, "readyReplicas") for each in controllers):
        status["readyReplicas"] = ready
    if before.get("details"):
        status["details"] = before["details"]
    listed = conditions.put(objects(before, "conditions"), _available(config, available, now))
    listed = _progressing(config, status, current, listed, now)
    if more is not None:
        listed = conditions.put(listed, more)
    return {**status, "conditions": [*listed]}


def _state(controller: JsonObject, name: str) -> int:
    return number(member(controller, "status"), name)


def _available(config: JsonObject, available: int, now: float) -> JsonObject:
    if available >= number(member(config, "spec"), "replicas") - _unavailable(config) and available > 0:
        return condition(AVAILABLE, "True", "", "Deployment config has minimum availability.", now)
    return condition(AVAILABLE, "False", "", "Deployment config does not have minimum availability.", now)


def _unavailable(config: JsonObject) -> int:
    spec = member(config, "spec")
    strategy = member(spec, "strategy")
    if text(strategy, "type") != "Rolling":
        return 0
    rolling, wished = member(strategy, "rollingParams"), number(spec, "replicas")
    surge = scaled(rolling.get("maxSurge"), wished, up=True)
    return scaled(rolling.get("maxUnavailable"), wished, up=False) or int(not surge)


def _progressing(
    config: JsonObject, status: JsonObject, current: JsonObject | None, listed: list[JsonObject], now: float
) -> list[JsonObject]:
    if current is None:
        return listed
    name, phase = f'replication controller "{name_of(current)}"', phase_of(current)
    if phase == RUNNING and _is_better(member(config, "status"), status):
        found = condition(PROGRESSING, "True", UPDATED, f"{name} is progressing", now)
        return conditions.put(conditions.without(listed, PROGRESSING), found)
    if phase == FAILED and is_cancelled(current):
        found = condition(PROGRESSING, "False", "RolloutCancelled", f"rollout of {name} was cancelled", now)
        return conditions.put(listed, found)
    if phase == FAILED:
        found = condition(PROGRESSING, "False", "ProgressDeadlineExceeded", f"{name} has failed progressing", now)
        return conditions.put(listed, found)
    if phase == COMPLETE:
        sentence = f"{name} successfully rolled out"
        return conditions.put(
            listed, condition(PROGRESSING, "True", "NewReplicationControllerAvailable", sentence, now)
        )
    return listed


def _is_better(before: JsonObject, now: JsonObject) -> bool:
    fewer = _old(now) < _old(before)
    return fewer or number(now, "updatedReplicas") > number(before, "updatedReplicas")


def _old(status: JsonObject) -> int:
    return number(status, "replicas") - number(status, "updatedReplicas")
