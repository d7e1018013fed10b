"""What a Job is to do next: how its Pods count, whether it ends and why, which Pods go and which are made.

Specification: Kubernetes, pkg/controller/job syncJob.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podward.api.json_value import Json, JsonObject, copied_object
from podward.controllers.apps.ownership import is_going, uid_of
from podward.controllers.apps.pods import is_active, is_ready, is_terminating, phase_of
from podward.controllers.jobs import backoff, conditions
from podward.controllers.jobs.conditions import SUCCESS_MET
from podward.controllers.jobs.ending import count_indexes, decide_end
from podward.controllers.jobs.managing import manage
from podward.controllers.jobs.pods_of import is_indexed
from podward.controllers.jobs.policies import failure_of, has_failed
from podward.controllers.jobs.state import Evaluation, Told, is_valid
from podward.documents.raw_fields import member
from podward.schema.validation.raw import number, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def evaluated(job: JsonObject, pods: Iterable[JsonObject], record: backoff.Record, now: float) -> Evaluation:
    """A Job that has not ended, with all of its Pods."""
    this = Evaluation(job, list(pods), now, status=copied_object(member(job, "status")))
    this.status.setdefault("uncountedTerminatedPods", {})
    active = [pod for pod in this.pods if is_active(pod)]
    this.active, this.ready = len(active), sum(map(is_ready, active))
    this.terminating = sum(map(is_terminating, this.pods))
    succeeded = _uncounted(this, "succeeded", lambda pod: phase_of(pod) == "Succeeded")
    failed = _uncounted(this, "failed", lambda pod: has_failed(pod, job))
    this.succeeded = number(this.status, "succeeded") + len(succeeded) + len(texts(this.uncounted, "succeeded"))
    counted = sum(failure_of(job, pod).counts for pod in failed)
    this.failed = number(this.status, "failed") + counted + len(texts(this.uncounted, "failed"))
    if not this.status.get("startTime") and not this.suspended:
        this.status["startTime"] = conditions.stamp(now)
    this.record = backoff.after(record, succeeded, failed)
    decide_end(this)
    if is_indexed(job):
        count_indexes(this, active)
    if this.finished is not None:
        this.wanted.removed = active
    elif not is_going(job):
        manage(this, active)
    return this


def _uncounted(this: Evaluation, which: str, filtered: Callable[[JsonObject], bool]) -> list[JsonObject]:
    known = frozenset(texts(this.uncounted, which))
    return [pod for pod in this.pods if uid_of(pod) not in known and is_valid(this, pod) and filtered(pod)]


def concluded(this: Evaluation, removed: Sequence[JsonObject], made: int) -> tuple[bool, list[Told]]:
    """Take up which Pods were removed and how many were made; whether the status is to be written, and what is told."""
    before = this.active
    this.active += made - len(removed)
    this.terminating += len(removed)
    this.ready -= sum(map(is_ready, removed))
    told: list[Told] = []
    if this.finished is not None:
        if len(removed) != before:
            this.finished = None
    elif _is_complete(this):
        said = "Reached expected number of succeeded pods"
        this.finished = conditions.made(SUCCESS_MET, "CompletionsReached", said, this.now)
    elif not is_going(this.job):
        told = _suspension(this)
    state = this.status
    changed = (
        bool(told)
        or this.active != number(state, "active")
        or this.ready != state.get("ready")
        or this.terminating != state.get("terminating")
    )
    counts: dict[str, Json] = {"active": this.active, "ready": this.ready, "terminating": this.terminating}
    state |= counts
    return changed, told


def _is_complete(this: Evaluation) -> bool:
    if this.active:
        return False
    return this.succeeded > 0 if this.completions is None else this.succeeded >= this.completions


def _suspension(this: Evaluation) -> list[Told]:
    if this.suspended:
        if not conditions.ensure(this.status, conditions.made("Suspended", "JobSuspended", "Job suspended", this.now)):
            return []
        this.status.pop("startTime", None)
        return [Told("Normal", "Suspended", "Job suspended")]
    resumed = conditions.made("Suspended", "JobResumed", "Job resumed", this.now, "False")
    if not conditions.ensure(this.status, resumed):
        return []
    this.status["startTime"] = conditions.stamp(this.now)
    return [Told("Normal", "Resumed", "Job resumed")]
