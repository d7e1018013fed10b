"""What the status of a Deployment says: its numbers, and the conditions Available, Progressing and ReplicaFailure.

Specification: Kubernetes, pkg/controller/deployment/sync.go calculateStatus and progress.go. Available: no more Pods
are unavailable than may be. Progressing: true while something changes for the better and when all is done, false when
nothing did for progressDeadlineSeconds. ReplicaFailure: as the newest ReplicaSet says, else any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.controllers.apps import conditions
from podward.controllers.apps.deployments.sizes import UNLIMITED, counted, replicas_of, total, unavailable
from podward.controllers.apps.ownership import name_of
from podward.controllers.apps.pods import moment_of
from podward.documents.raw_fields import member, objects
from podward.schema.moments import written
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import JsonObject

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
DONE, LATE = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
_LEAST_WAIT = 1.0


class Sets(Struct, frozen=True):
    """A Deployment's ReplicaSets: the newest, where there is one, and the others."""

    new: JsonObject | None
    old: Sequence[JsonObject]

    @property
    def all(self) -> list[JsonObject]:
        """The others, then the newest."""
        return [*self.old] if self.new is None else [*self.old, self.new]


def condition(kind: str, status: str, reason: str, message: str, now: float) -> JsonObject:
    """A condition of a Deployment."""
    return {**conditions.made(kind, status, reason, message, now), "lastUpdateTime": written(now)}


def progressing(deployment: JsonObject) -> JsonObject | None:
    """The condition Progressing as it is."""
    return conditions.find(objects(member(deployment, "status"), "conditions"), PROGRESSING)


def with_condition(deployment: JsonObject, found: JsonObject) -> JsonObject:
    """The Deployment with this condition in its status."""
    state = member(deployment, "status")
    return {**deployment, "status": {**state, "conditions": [*conditions.put(objects(state, "conditions"), found)]}}


def deadline(deployment: JsonObject) -> int | None:
    """After how many seconds without progress it is late; nothing where never."""
    found = member(deployment, "spec").get("progressDeadlineSeconds")
    return found if type(found) is int and found != UNLIMITED else None


def calculated(deployment: JsonObject, sets: Sets, now: float) -> JsonObject:
    """The numbers, and whether it is available."""
    before, available = member(deployment, "status"), counted(sets.all, "availableReplicas")
    numbers = {
        "observedGeneration": number(member(deployment, "metadata"), "generation"),
        "replicas": counted(sets.all, "replicas"),
        "updatedReplicas": counted([sets.new] if sets.new is not None else [], "replicas"),
        "readyReplicas": counted(sets.all, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, total(sets.all) - available),
    }
    status: JsonObject = {name: value for name, value in numbers.items() if value}
    if all(_says_terminating(found) for found in sets.all):
        status["terminatingReplicas"] = counted(sets.all, "terminatingReplicas")
    if before.get("collisionCount") is not None:
        status["collisionCount"] = before["collisionCount"]
    enough = available >= replicas_of(deployment) - unavailable(deployment)
    if enough:
        found = condition(AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    else:
        sentence = "Deployment does not have minimum availability."
        found = condition(AVAILABLE, "False", "MinimumReplicasUnavailable", sentence, now)
    return {**status, "conditions": [*conditions.put(objects(before, "conditions"), found)]}


def _says_terminating(found: JsonObject) -> bool:
    state = member(found, "status")
    return state.get("terminatingReplicas") is not None or not number(state, "observedGeneration")


def is_complete(deployment: JsonObject, status: JsonObject) -> bool:
    """Whether all of its Pods are new and available."""
    wished = replicas_of(deployment)
    names = ("updatedReplicas", "replicas", "availableReplicas")
    observed = number(status, "observedGeneration") >= number(member(deployment, "metadata"), "generation")
    return observed and all(number(status, name) == wished for name in names)


def of_rollout(deployment: JsonObject, sets: Sets, now: float) -> JsonObject:
    """The status while it is rolled out, or has been."""
    status = calculated(deployment, sets, now)
    listed = objects(status, "conditions")
    if deadline(deployment) is None:
        listed = conditions.without(listed, PROGRESSING)
    elif not _was_done(deployment, status):
        listed = _progress(deployment, status, sets.new, now)
    failure = _failure(sets)
    listed = conditions.put(listed, failure) if failure is not None else conditions.without(listed, FAILURE)
    return {**status, "conditions": [*listed]}


def _was_done(deployment: JsonObject, status: JsonObject) -> bool:
    found = progressing(deployment)
    done = number(status, "replicas") == number(status, "updatedReplicas")
    return done and found is not None and found.get("reason") == DONE


def _progress(deployment: JsonObject, status: JsonObject, new: JsonObject | None, now: float) -> list[JsonObject]:
    listed, before = objects(status, "conditions"), progressing(deployment)
    what = f'Deployment "{name_of(deployment)}"' if new is None else f'ReplicaSet "{name_of(new)}"'
    if is_complete(deployment, status):
        sentence = f"{what} has successfully progressed."
        return conditions.put(listed, condition(PROGRESSING, "True", DONE, sentence, now))
    if _is_better(member(deployment, "status"), status):
        found = condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{what} is progressing.", now)
        if before is not None and before.get("status") == "True":
            found["lastTransitionTime"] = before.get("lastTransitionTime")
        return [*conditions.without(listed, PROGRESSING), found]
    if _is_late(deployment, before, now):
        found = condition(PROGRESSING, "False", LATE, f"{what} has timed out progressing.", now)
        return conditions.put(listed, found)
    return listed


def _is_better(before: JsonObject, now: JsonObject) -> bool:
    """Whether there are more new Pods, fewer old ones, or more that are ready or available."""
    fewer = _old(now) < _old(before)
    names = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return fewer or any(number(now, name) > number(before, name) for name in names)


def _old(status: JsonObject) -> int:
    return number(status, "replicas") - number(status, "updatedReplicas")


def _is_late(deployment: JsonObject, found: JsonObject | None, now: float) -> bool:
    limit = deadline(deployment)
    if limit is None or found is None or found.get("reason") == DONE:
        return False
    since = moment_of(found, "lastUpdateTime")
    return found.get("reason") == LATE or (since is not None and since + limit < now)


def _failure(sets: Sets) -> JsonObject | None:
    for found in [*([sets.new] if sets.new is not None else []), *sets.old]:
        told = conditions.find(objects(member(found, "status"), "conditions"), FAILURE)
        if told is not None:
            return {**told, "lastUpdateTime": told.get("lastTransitionTime")}
    return None


def wait(deployment: JsonObject, status: JsonObject, now: float) -> float | None:
    """The seconds until it may be late; nothing where it cannot be."""
    limit, found = deadline(deployment), conditions.find(objects(status, "conditions"), PROGRESSING)
    if limit is None or found is None or is_complete(deployment, status) or text(found, "reason") == LATE:
        return None
    since = moment_of(found, "lastUpdateTime")
    return None if since is None else max(since + limit - now, 0.0) + _LEAST_WAIT
