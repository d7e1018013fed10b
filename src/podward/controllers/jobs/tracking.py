"""How the Pods of a Job are counted once each: noted in its status, then let go of, then counted.

Specification: Kubernetes, pkg/controller/job trackJobStatusAndRemoveFinalizers. A Pod whose finalizer is gone was noted
before that, so no Pod is lost or counted twice, whenever the controller ends. At most 500 are noted at once.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import is_going, uid_of
from podward.controllers.apps.pods import phase_of
from podward.controllers.jobs import conditions
from podward.controllers.jobs.conditions import COMPLETE, FAILED, FAILURE_TARGET, SUCCESS_MET
from podward.controllers.jobs.indexes import index_of
from podward.controllers.jobs.pods_of import is_indexed, is_tracked, limit_of_index
from podward.controllers.jobs.policies import failure_of, has_failed
from podward.controllers.jobs.state import Evaluation, Told, is_valid_index
from podward.documents.raw_fields import member
from podward.schema.validation.raw import number, texts

_MOST = 500


class Noted(Struct):
    """What was noted. `released`: the Pods whose finalizer goes now; `changed`: whether the status is written first.

    `tracked`: the UIDs of those that still have theirs; `full`: whether more Pods are left for the next time.
    """

    released: list[JsonObject]
    tracked: set[str]
    changed: bool
    full: bool = False


def noted(this: Evaluation, *, changed: bool) -> Noted:
    """Note the Pods that have ended in the status, and how the Job ends."""
    if is_indexed(this.job):
        this.pods.sort(key=_by_index)
    tracked = {uid_of(pod) for pod in this.pods if is_tracked(pod)}
    found = Noted([], tracked, changed)
    found.changed |= count_released(this.status, tracked)
    succeeded: list[int] = []
    for pod in this.pods:
        if not is_tracked(pod) or not _may_be_released(this, pod):
            continue
        found.released.append(pod)
        found.changed |= _note(this, pod, succeeded)
        uncounted = this.uncounted
        if len(succeeded) + len(texts(uncounted, "succeeded")) + len(texts(uncounted, "failed")) >= _MOST:
            found.full = True
            break
    if is_indexed(this.job):
        found.changed |= _write_indexes(this, succeeded)
    found.changed |= _announce(this)
    return found


def _by_index(pod: JsonObject) -> int:
    index = index_of(pod)
    return -1 if index is None else index


def _may_be_released(this: Evaluation, pod: JsonObject) -> bool:
    if is_going(this.job) or this.finished is not None or phase_of(pod) == "Succeeded":
        return True
    if not has_failed(pod, this.job):
        return False
    index = index_of(pod) if limit_of_index(this.job) is not None else None
    waiting = this.delayed.get(index) if index is not None else None
    return waiting is None or uid_of(waiting) != uid_of(pod)


def _note(this: Evaluation, pod: JsonObject, succeeded: list[int]) -> bool:
    """Note one Pod that is released; whether that changes the status."""
    uid, index, uncounted = uid_of(pod), index_of(pod), this.uncounted
    counted_as_failed = uid in texts(uncounted, "failed")
    valid = not is_indexed(this.job) or is_valid_index(this, index)
    if phase_of(pod) == "Succeeded" and not counted_as_failed:
        if is_indexed(this.job):
            if not valid or index is None or index in this.before:
                return False
            succeeded.append(index)
            return True
        return _add(uncounted, "succeeded", uid)
    ended = this.finished is not None and this.finished.get("type") != SUCCESS_MET
    if not (has_failed(pod, this.job) or ended) or counted_as_failed or not valid:
        return False
    return failure_of(this.job, pod).counts and _add(uncounted, "failed", uid)


def _add(uncounted: JsonObject, which: str, uid: str) -> bool:
    listed: list[Json] = [*texts(uncounted, which)]
    if uid in listed:
        return False
    uncounted[which] = [*listed, uid]
    return True


def _write_indexes(this: Evaluation, succeeded: list[int]) -> bool:
    this.succeeded_indexes = this.succeeded_indexes.adding(succeeded)
    written, before = str(this.succeeded_indexes), this.status.get("completedIndexes") or ""
    this.status["succeeded"] = len(this.succeeded_indexes)
    this.status["completedIndexes"] = written
    failed = None if this.failed_indexes is None else str(this.failed_indexes)
    changed = written != before or failed != this.status.get("failedIndexes")
    if failed is None:
        this.status.pop("failedIndexes", None)
    else:
        this.status["failedIndexes"] = failed
    return changed


def _announce(this: Evaluation) -> bool:
    """Say how the Job will end, before any of its Pods is let go of; whether that is new."""
    finished = this.finished
    if finished is None or finished["type"] not in {FAILURE_TARGET, SUCCESS_MET}:
        return False
    new = finished["type"] == FAILURE_TARGET or conditions.holds(this.status, SUCCESS_MET) is None
    if new:
        conditions.append(this.status, finished)
    ends = FAILED if finished["type"] == FAILURE_TARGET else COMPLETE
    this.finished = conditions.made(ends, str(finished["reason"]), str(finished["message"]), this.now)
    return new


def count_released(status: JsonObject, tracked: Collection[str]) -> bool:
    """Count those that were noted and have lost their finalizer; whether there were any."""
    uncounted, changed = member(status, "uncountedTerminatedPods"), False
    for which in ("succeeded", "failed"):
        listed = texts(uncounted, which)
        left: list[Json] = [uid for uid in listed if uid in tracked]
        if len(left) == len(listed):
            continue
        status[which] = number(status, which) + len(listed) - len(left)
        changed = True
        if left:
            uncounted[which] = left
        else:
            del uncounted[which]
    return changed


def ended(this: Evaluation, *, full: bool) -> list[Told] | None:
    """End the Job in its status, if all of its Pods are counted and gone; what is told then."""
    finished, uncounted = this.finished, this.uncounted
    if finished is None or full or this.terminating > 0:
        return None
    if texts(uncounted, "succeeded") or texts(uncounted, "failed"):
        return None
    conditions.ensure(this.status, finished)
    if finished["type"] != COMPLETE:
        return [Told("Warning", str(finished["reason"]), str(finished["message"]))]
    this.status["completionTime"] = finished["lastTransitionTime"]
    told = [Told("Normal", "Completed", "Job completed")]
    if this.completions is not None and number(this.status, "succeeded") > this.completions:
        said = "Too many succeeded pods running after completion count reached"
        told.insert(0, Told("Warning", "TooManySucceededPods", said))
    return told
