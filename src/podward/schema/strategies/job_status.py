"""The status of a Job, which a controller writes.

Specification: Kubernetes, validateJobStatus and ValidateJobStatusUpdate in pkg/apis/batch/validation, and which of
their checks getStatusValidationOptions in pkg/registry/batch/job asks for: mostly those about what has changed.
Conditions exclude each other, a finished Job has nothing that runs, what has been counted is not taken back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.job_specs import count_indexes, interval_of
from podward.schema.strategies.workloads import STATUS, not_negative
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    invalid,
    invalid_value,
    refused,
    required,
)
from podward.schema.validation.raw import number, pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_COMPLETE, _FAILED, _FAILING = "Complete", "Failed", "FailureTarget"
_SUCCEEDED, _SUSPENDED = "SuccessCriteriaMet", "Suspended"
_CONDITIONS, _TIME, _START = STATUS / "conditions", STATUS / "completionTime", STATUS / "startTime"


class _Side:
    """What is asked of a status, the new one or the stored one."""

    __slots__ = ("_conditions", "raw", "spec", "status")

    def __init__(self, job: JsonObject) -> None:
        self.raw = job
        self.spec, self.status = member(job, "spec"), member(job, "status")
        self._conditions = objects(self.status, "conditions")

    def has(self, kind: str, state: str = "True") -> bool:
        return any(text(each, "type") == kind and text(each, "status") == state for each in self._conditions)

    @property
    def finished(self) -> bool:
        return self.has(_COMPLETE) or self.has(_FAILED)


def suspended_and_idle(job: JsonObject) -> bool:
    """Whether the template of a stored Job may change in part: nothing of it runs, and nothing will as it is."""
    side = _Side(job)
    idle = side.status.get("startTime") is None or side.has(_SUSPENDED)
    return side.spec.get("suspend") is True and idle and not number(side.status, "active")


def validate(obj: JsonObject, old: JsonObject) -> Decision:
    """Everything that is wrong with a change of the status."""
    new, before = _Side(obj), _Side(old)
    changed = frozenset(name for name in _WATCHED if not same(new.status.get(name), before.status.get(name)))
    turned = frozenset(kind for kind in _KINDS if new.has(kind) != before.has(kind))
    if new.finished != before.finished:
        turned |= {"finished"}
    return merge(
        not_negative(new.status, ("active", "succeeded", "failed", "ready", "terminating"), STATUS),
        _uncounted(member(new.status, "uncountedTerminatedPods"), STATUS / "uncountedTerminatedPods"),
        *_complete(new, changed, turned),
        *_finished(new, changed, turned),
        _indexes(new, changed),
        *_counts(new, changed, turned),
        *_success(new),
        *_going_back(new, before, changed),
    )


_WATCHED = (
    "completedIndexes", "failedIndexes", "active", "startTime", "completionTime", "uncountedTerminatedPods", "ready",
    "terminating",
)  # fmt: skip
_KINDS = (_COMPLETE, _FAILED, _FAILING, _SUCCEEDED)


def _never(detail: str) -> Decision:
    """Refuse the conditions."""
    return refused(_CONDITIONS, None, (f"Invalid value: {detail}",))


def _uncounted(pods: JsonObject, at: Place) -> Decision:
    seen: set[str] = set()
    found: list[Decision] = []
    for name in ("succeeded", "failed"):
        for index, uid in enumerate(texts(pods, name)):
            if not uid:
                found.append(invalid_value(at / name / index, uid, "must not be empty"))
            elif uid in seen:
                found.append(duplicate(at / name / index, uid))
            seen.add(uid)
    return merge(*found)


def _complete(new: _Side, changed: frozenset[str], turned: frozenset[str]) -> Iterator[Decision]:
    """When a Job is complete, and since when."""
    complete, ended, started = new.has(_COMPLETE), new.status.get("completionTime"), new.status.get("startTime")
    if turned & {_COMPLETE, _FAILED} and complete and new.has(_FAILED):
        yield _never("cannot set Complete=True and Failed=true conditions")
    if turned & {_COMPLETE, _FAILING} and complete and new.has(_FAILING):
        yield _never("cannot set Complete=True and FailureTarget=true conditions")
    if _COMPLETE in turned or "completionTime" in changed:
        if ended is not None and not complete:
            yield invalid_value(_TIME, ended, "cannot set completionTime when there is no Complete=True condition")
        if ended is None and complete:
            yield required(_TIME, "completionTime is required for Complete jobs")
    times = isinstance(ended, str) and isinstance(started, str)
    if changed & {"startTime", "completionTime"} and times and str(ended) < str(started):
        yield invalid_value(_TIME, ended, "must be equal to or after `startTime`")
    if (_FAILED in turned or "failedIndexes" in changed) and new.has(_FAILED) and not new.has(_FAILING):
        yield _never("cannot set Failed=True condition without the FailureTarget=true condition")
    if turned & {_COMPLETE, _SUCCEEDED} and complete and not new.has(_SUCCEEDED):
        yield _never("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")


def _finished(new: _Side, changed: frozenset[str], turned: frozenset[str]) -> Iterator[Decision]:
    """What a finished Job has no more."""
    if not new.finished:
        return
    active, spec = number(new.status, "active"), new.spec
    if ("finished" in turned or "active" in changed) and active > 0:
        yield invalid(STATUS / "active", active, "active>0 is invalid for finished job")
    nothing_to_do = spec.get("suspend") is True and spec.get("completions") == 0
    asked = ("finished" in turned or "startTime" in changed) and not nothing_to_do
    if asked and new.status.get("startTime") is None:
        yield required(_START, "startTime is required for finished job")
    pods = member(new.status, "uncountedTerminatedPods")
    if ("finished" in turned or "uncountedTerminatedPods" in changed) and (pods.get("failed") or pods.get("succeeded")):
        printed = internal("batch.UncountedTerminatedPods", pods)
        yield invalid_value(STATUS / "uncountedTerminatedPods", printed, "must be empty for finished job")


def _indexes(new: _Side, changed: frozenset[str]) -> Decision:
    completed, failed = text(new.status, "completedIndexes"), pointer(new.status, "failedIndexes")
    completions, per_index = new.spec.get("completions"), new.spec.get("backoffLimitPerIndex")
    most, found = number(new.spec, "completions"), NOTHING
    of_completed, of_failed = STATUS / "completedIndexes", STATUS / "failedIndexes"
    if "completedIndexes" in changed and completions is not None and (fault := count_indexes(completed, most)[1]):
        found = invalid(of_completed, completed, f"error parsing completedIndexes: {fault}")
    checked = "failedIndexes" in changed and completions is not None and per_index is not None and failed is not None
    if checked and failed is not None and (fault := count_indexes(failed, most)[1]):
        found += invalid_value(of_failed, failed, f"error parsing failedIndexes: {fault}")
    if "completedIndexes" in changed and completed and new.spec.get("completionMode") != "Indexed":
        detail = "cannot set non-empty completedIndexes when non-indexed completion mode"
        found += invalid(of_completed, completed, detail)
    if "failedIndexes" in changed and per_index is None and failed is not None:
        detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        found += invalid(of_failed, failed, detail)
    if changed & {"completedIndexes", "failedIndexes"} and completions is not None and failed is not None:
        overlap = _overlap(completed, failed, most)
        if overlap is not None:
            detail = f"failedIndexes and completedIndexes overlap at index: {overlap}"
            found += invalid(of_failed, failed, detail)
    return found


def _overlap(completed: str, failed: str, completions: int) -> int | None:
    """The first index that both have, of intervals that are in order; what is no interval is passed over."""
    ours, theirs = _intervals(completed, completions), _intervals(failed, completions)
    one = other = 0
    while one < len(ours) and other < len(theirs):
        (low, high), (first, last) = ours[one], theirs[other]
        if low <= last and first <= high:
            return max(low, first)
        if low <= first:
            one += 1
        else:
            other += 1
    return None


def _intervals(indexes: str, completions: int) -> Sequence[tuple[int, int]]:
    found = [interval_of(interval, completions) for interval in indexes.split(",")] if indexes else []
    return [(first, last) for first, last, fault in found if not fault]


def _counts(new: _Side, changed: frozenset[str], turned: frozenset[str]) -> Iterator[Decision]:
    terminating, ready, active = number(new.status, "terminating"), number(new.status, "ready"), new.status
    if ("finished" in turned or "terminating" in changed) and terminating > 0 and new.finished:
        yield invalid(STATUS / "terminating", terminating, "terminating>0 is invalid for finished job")
    more = new.status.get("ready") is not None and ready > number(active, "active")
    if changed & {"ready", "active"} and more:
        yield invalid(STATUS / "ready", ready, "cannot set more ready pods than active")


def _success(new: _Side) -> Iterator[Decision]:
    """What goes with having succeeded."""
    if new.has(_SUCCEEDED):
        if new.has(_FAILED):
            yield _never("cannot set SuccessCriteriaMet=True and Failed=true conditions")
        if new.has(_FAILING):
            yield _never("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    elif new.spec.get("successPolicy") is not None and new.has(_COMPLETE):
        yield _never("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")


def _going_back(new: _Side, before: _Side, changed: frozenset[str]) -> Iterator[Decision]:
    """What is not taken back."""
    for kind in (_FAILED, _COMPLETE, _FAILING):
        if before.has(kind) and not new.has(kind):
            yield _never(f"cannot disable the terminal {kind}=True condition")
    for name in ("failed", "succeeded"):
        now = number(new.status, name)
        elastic = new.spec.get("completionMode") == "Indexed" and _elastic(new.spec)
        if now < number(before.status, name) and not (name == "succeeded" and elastic):
            yield invalid(STATUS / name, now, f"cannot decrease the {name} counter")
    ended, had_ended = new.status.get("completionTime"), before.status.get("completionTime")
    if ended is not None and had_ended is not None and ended != had_ended:
        yield invalid_value(_TIME, ended, "field is immutable")
    yield _start(new, before, changed)
    if before.has(_SUCCEEDED) and not new.has(_SUCCEEDED):
        yield _never("cannot disable the SuccessCriteriaMet=True condition")
    if before.has(_COMPLETE) and not before.has(_SUCCEEDED) and new.has(_SUCCEEDED):
        yield _never("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")


def _elastic(spec: JsonObject) -> bool:
    return spec.get("completions") == spec.get("parallelism")


def _start(new: _Side, before: _Side, changed: frozenset[str]) -> Decision:
    resumes = before.has(_SUSPENDED) and new.has(_SUSPENDED, "False")
    fixed = before.status.get("startTime") is not None and new.spec.get("suspend") is not True
    if "startTime" not in changed or resumes or not fixed:
        return NOTHING
    detail = "field is immutable for unsuspended job once set"
    return invalid_value(_START, new.status.get("startTime"), detail)
