"""The conditions of a Job.

Specification: Kubernetes, pkg/controller/job ensureJobConditionStatus: a condition that is false is never added, but
one that is there may become it. `FailureTarget` and `SuccessCriteriaMet` say how a Job will end, `Failed` and
`Complete` that all its Pods have.
"""

from __future__ import annotations

import time

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects

FAILED, COMPLETE = "Failed", "Complete"
FAILURE_TARGET, SUCCESS_MET = "FailureTarget", "SuccessCriteriaMet"


def stamp(now: float) -> str:
    """A time as the API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def made(kind: str, reason: str, message: str, now: float, status: str = "True") -> JsonObject:
    """A condition that begins now."""
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": stamp(now),
        "lastTransitionTime": stamp(now),
        "reason": reason,
        "message": message,
    }


def find(status: JsonObject, kind: str) -> JsonObject | None:
    """The condition of this type."""
    return next((each for each in objects(status, "conditions") if each.get("type") == kind), None)


def holds(status: JsonObject, kind: str) -> JsonObject | None:
    """The condition of this type, where it is true."""
    found = find(status, kind)
    return found if found is not None and found.get("status") == "True" else None


def is_finished(job: JsonObject) -> bool:
    """Whether the Job has ended."""
    status = member(job, "status")
    return holds(status, FAILED) is not None or holds(status, COMPLETE) is not None


def append(status: JsonObject, condition: JsonObject) -> None:
    """Add a condition to a status."""
    listed: list[Json] = [*objects(status, "conditions"), condition]
    status["conditions"] = listed


def ensure(status: JsonObject, condition: JsonObject) -> bool:
    """Have a status say a condition; whether that changed anything."""
    there = find(status, str(condition["type"]))
    if there is None:
        if condition["status"] == "False":
            return False
        append(status, condition)
        return True
    if all(there.get(name) == condition[name] for name in ("status", "reason", "message")):
        return False
    listed: list[Json] = [condition if each is there else each for each in objects(status, "conditions")]
    status["conditions"] = listed
    return True
