"""Whether and why a Job ends.

Specification: Kubernetes, pkg/controller/job syncJob: what was decided before; the pod failure policy; the back-off
limit; the deadline; failed indexes; the success policy. The first of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from podward.api.json_value import JsonObject
from podward.controllers.apps.pods import moment_of, phase_of
from podward.controllers.jobs import backoff, conditions
from podward.controllers.jobs.conditions import FAILED, FAILURE_TARGET, SUCCESS_MET
from podward.controllers.jobs.indexes import Intervals, count_in, index_of, indexes_of, parsed
from podward.controllers.jobs.pods_of import FAILURES, IGNORED, limit_of_index
from podward.controllers.jobs.policies import failure_of, has_failed, success_of
from podward.controllers.jobs.state import Evaluation, is_valid
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number


def decide_end(this: Evaluation) -> None:
    """Decide whether the Job ends before its indexes are looked at."""
    job, now = this.job, this.now
    met = conditions.holds(this.status, SUCCESS_MET)
    target = conditions.holds(this.status, FAILURE_TARGET)
    if met is not None:
        this.finished = met
        return
    if target is not None:
        this.finished = conditions.made(FAILED, str(target.get("reason")), str(target.get("message")), now)
        return
    failed = (failure_of(job, pod).message for pod in this.pods if has_failed(pod, job))
    message = next(filter(None, failed), "")
    if message:
        this.finished = conditions.made(FAILURE_TARGET, "PodFailurePolicy", message, now)
    elif this.failed > number(this.spec, "backoffLimit") or _restarted_too_often(this):
        said = "Job has reached the specified backoff limit"
        this.finished = conditions.made(FAILURE_TARGET, "BackoffLimitExceeded", said, now)
    else:
        _decide_deadline(this)


def _restarted_too_often(this: Evaluation) -> bool:
    if member(member(this.spec, "template"), "spec").get("restartPolicy") != "OnFailure":
        return False
    restarts = 0
    for pod in this.pods:
        if phase_of(pod) in {"Running", "Pending"}:
            state = member(pod, "status")
            listed = (*objects(state, "initContainerStatuses"), *objects(state, "containerStatuses"))
            restarts += sum(number(each, "restartCount") for each in listed)
    limit = number(this.spec, "backoffLimit")
    return restarts >= limit if limit else restarts > 0


def _decide_deadline(this: Evaluation) -> None:
    seconds, began = this.spec.get("activeDeadlineSeconds"), moment_of(this.status, "startTime")
    if not isinstance(seconds, int) or began is None or this.suspended:
        return
    left = seconds - (this.now - began)
    if left <= 0:
        said = "Job was active longer than specified deadline"
        this.finished = conditions.made(FAILURE_TARGET, "DeadlineExceeded", said, this.now)
    else:
        this.wanted.again.append(left)


def count_indexes(this: Evaluation, active: Sequence[JsonObject]) -> None:
    """Count an indexed Job by its indexes, and decide whether these end it."""
    completions = this.completions or 0
    this.before = parsed(str(this.status.get("completedIndexes") or ""), completions)
    done = [pod for pod in this.pods if phase_of(pod) == "Succeeded" and is_valid(this, pod)]
    this.succeeded_indexes = this.before.adding(indexes_of(done))
    this.succeeded = len(this.succeeded_indexes)
    limit = limit_of_index(this.job)
    if limit is not None:
        _count_failed_indexes(this, limit)
        this.delayed = _delayed(this, indexes_of(active))
    if this.finished is None and (said := success_of(this.job, this.succeeded_indexes)):
        this.finished = conditions.made(SUCCESS_MET, "SuccessPolicy", said, this.now)


def _count_failed_indexes(this: Evaluation, limit: int) -> None:
    completions = this.completions or 0
    before = parsed(str(this.status.get("failedIndexes") or ""), completions)
    failed = [pod for pod in this.pods if is_valid(this, pod) and _fails_index(this.job, pod, limit)]
    this.failed_indexes = before.adding(indexes_of(failed))
    if this.finished is not None:
        return
    count, most = len(this.failed_indexes), this.spec.get("maxFailedIndexes")
    if isinstance(most, int) and count > most:
        said = "Job has exceeded the specified maximal number of failed indexes"
        this.finished = conditions.made(FAILURE_TARGET, "MaxFailedIndexesExceeded", said, this.now)
    elif count and count + len(this.succeeded_indexes) >= completions:
        this.finished = conditions.made(FAILURE_TARGET, "FailedIndexes", "Job has failed indexes", this.now)


def _fails_index(job: JsonObject, pod: JsonObject, limit: int) -> bool:
    if not has_failed(pod, job):
        return False
    failure = failure_of(job, pod)
    return failure.action == "FailIndex" or (failure.counts and count_in(pod, FAILURES) >= limit)


def _delayed(this: Evaluation, active: set[int]) -> dict[int, JsonObject]:
    found: dict[int, JsonObject] = {}
    failed_before = this.failed_indexes or Intervals()
    for pod in this.pods:
        index = index_of(pod)
        if index is None or not is_valid(this, pod) or not has_failed(pod, this.job):
            continue
        if index in this.succeeded_indexes or index in failed_before or index in active:
            continue
        last = found.get(index)
        if last is None or (
            failures_of(last) <= failures_of(pod) and backoff.finished_at(last) <= backoff.finished_at(pod)
        ):
            found[index] = pod
    return found


def failures_of(pod: JsonObject) -> int:
    """How often the index had failed before this Pod, counted or not."""
    return count_in(pod, FAILURES) + count_in(pod, IGNORED)
