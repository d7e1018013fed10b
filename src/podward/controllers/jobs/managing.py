"""Which Pods of a Job go, and which are made.

Specification: Kubernetes, pkg/controller/job manageJob. At most 500 are made or deleted at once, and never both; those
that go first are not ready, not running, not scheduled. Indexes that failed wait each for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from podward.api.json_value import JsonObject
from podward.controllers.apps.pods import is_terminating
from podward.controllers.apps.ranking import surplus
from podward.controllers.jobs import backoff
from podward.controllers.jobs.ending import failures_of
from podward.controllers.jobs.indexes import first_missing, index_of, indexes_of
from podward.controllers.jobs.pods_of import is_indexed, limit_of_index
from podward.controllers.jobs.policies import replaces_failed_only
from podward.controllers.jobs.state import Evaluation, is_valid_index
from podward.schema.validation.raw import number

_MOST = 500


def manage(this: Evaluation, active: list[JsonObject]) -> None:
    """Decide which Pods go, and which are made."""
    wanted = this.wanted
    if this.suspended:
        wanted.removed, wanted.stripped = _superfluous(this, active, len(active)), True
        return
    count = _wanted_active(this)
    removed = _superfluous(this, active, max(len(active) - count, 0))[:_MOST]
    if removed:
        wanted.removed, wanted.stripped = removed, True
        return
    lacking = count - len(active) - (this.terminating if replaces_failed_only(this.job) else 0)
    if lacking <= 0:
        return
    if limit_of_index(this.job) is None:
        pause = backoff.remaining(this.record, this.now)
        if pause > 0:
            wanted.again.append(pause)
            return
    lacking = min(lacking, _MOST)
    wanted.made = [*_indexes_to_make(this, active, lacking)] if is_indexed(this.job) else [None] * lacking


def _wanted_active(this: Evaluation) -> int:
    parallelism = number(this.spec, "parallelism")
    if this.completions is None:
        return this.active if this.succeeded > 0 else parallelism
    return max(min(this.completions - this.succeeded, parallelism), 0)


def _superfluous(this: Evaluation, active: list[JsonObject], least: int) -> list[JsonObject]:
    """The Pods that go: so many at least, and all whose index is none or another one's, too."""
    gone, left = list[JsonObject](), active
    if is_indexed(this.job):
        left = []
        by_index: dict[int, list[JsonObject]] = {}
        for pod in active:
            index = index_of(pod)
            if index is None or not is_valid_index(this, index):
                gone.append(pod)
            else:
                by_index.setdefault(index, []).append(pod)
        for same in by_index.values():
            extra = surplus(same, (), len(same) - 1, this.now)
            gone += extra
            left += [pod for pod in same if pod not in extra]
    return gone + (surplus(left, (), least - len(gone), this.now) if len(gone) < least else [])


def _indexes_to_make(this: Evaluation, active: Sequence[JsonObject], count: int) -> list[int]:
    taken = this.succeeded_indexes.adding(indexes_of(active))
    if replaces_failed_only(this.job):
        taken = taken.adding(indexes_of(filter(is_terminating, this.pods)))
    if this.failed_indexes is not None:
        taken = taken.merged(this.failed_indexes)
    found = first_missing(taken, count, this.completions or 0)
    if limit_of_index(this.job) is None:
        return found
    pauses = {index: _pause_of(this, index) for index in found}
    due = [index for index, pause in pauses.items() if pause == 0]
    if not due and pauses:
        this.wanted.again.append(min(pauses.values()))
    return due


def _pause_of(this: Evaluation, index: int) -> float:
    last = this.delayed.get(index)
    if last is None:
        return 0.0
    return backoff.remaining(backoff.Record(failures_of(last) + 1, backoff.finished_at(last)), this.now)
