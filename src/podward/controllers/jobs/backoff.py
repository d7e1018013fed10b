"""For how long a Job waits before it replaces a Pod that failed: 10 s, twice as long each time, 10 minutes at most.

Specification: Kubernetes, pkg/controller/job backoff_utils.go. What counts is how many Pods failed since the last one
succeeded, and when the last of them did.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.controllers.apps.pods import condition_of, created_at, moment_of
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number, text

_FIRST, _MOST = 10.0, 600.0


class Record(Struct, frozen=True):
    """The failures of a Job since the last success, and the time of the last of them."""

    failures: int = 0
    last: float = 0.0


def finished_at(pod: JsonObject) -> float:
    """When a Pod ended, as far as can be said: by its containers, its readiness, its deletion, its beginning."""
    found = _of_containers(pod)
    if found is not None:
        return found
    ready = condition_of(pod, "Ready")
    if ready is not None and ready.get("status") == "False":
        found = moment_of(ready, "lastTransitionTime")
    if found is None:
        metadata = member(pod, "metadata")
        gone = moment_of(metadata, "deletionTimestamp")
        found = None if gone is None else gone - number(metadata, "deletionGracePeriodSeconds")
    return created_at(pod) if found is None else found


def _of_containers(pod: JsonObject) -> float | None:
    """When the last container ended, sidecars too; None where one has not."""
    state = member(pod, "status")
    sidecars = {
        text(each, "name")
        for each in objects(member(pod, "spec"), "initContainers")
        if each.get("restartPolicy") == "Always"
    }
    counted = [*objects(state, "containerStatuses")]
    counted += [each for each in objects(state, "initContainerStatuses") if text(each, "name") in sidecars]
    latest: float | None = None
    for each in counted:
        ended = moment_of(member(member(each, "state"), "terminated"), "finishedAt")
        if ended is None:
            return None
        latest = ended if latest is None else max(latest, ended)
    return latest


def after(record: Record, succeeded: Iterable[JsonObject], failed: Iterable[JsonObject]) -> Record:
    """The record once these have ended."""
    successes = [finished_at(pod) for pod in succeeded]
    failures = sorted(finished_at(pod) for pod in failed)
    if not successes:
        return Record(record.failures + len(failures), failures[-1]) if failures else record
    later = [moment for moment in failures if moment > max(successes)]
    return Record(len(later), later[-1]) if later else Record()


def remaining(record: Record, now: float) -> float:
    """The seconds until another Pod may be made."""
    if record.failures == 0:
        return 0.0
    pause = min(_FIRST * 2.0 ** min(record.failures - 1, 20), _MOST)
    return max(pause - max(now - record.last, 0.0), 0.0)
