"""What a CronJob does next: which Jobs it has, which go, and whether one is to begin.

Specification: Kubernetes, pkg/controller/cronjob cronjob_controllerv2.go and utils.go. The name of a Job is that of the
CronJob and the minute for which it is, so that none is made twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from msgspec import Struct

from podward.api.json_value import Json, JsonObject, copied_object
from podward.controllers.apps.ownership import controller_reference, is_going, name_of, namespace_of, uid_of
from podward.controllers.cron.moments import Missed, following, missed
from podward.controllers.jobs import conditions
from podward.controllers.jobs.conditions import COMPLETE, FAILED
from podward.documents.raw_fields import member, objects
from podward.schema.godecode.times import parse
from podward.schema.strategies.schedules import Schedule
from podward.schema.validation.raw import text

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_PADDING = 0.1
"""Seconds that are added to a wait, as clocks differ."""


class Told(Struct, frozen=True):
    """An event of the CronJob's."""

    kind: str
    reason: str
    message: str


class Clock(Struct, frozen=True):
    """A schedule, in whose words it is understood, and what time it is, in UTC."""

    schedule: Schedule
    zone: dt.tzinfo
    now: dt.datetime


class Start(Struct, frozen=True):
    """What is due: a Job for this moment, after these of its active Jobs have been deleted."""

    moment: dt.datetime | None = None
    replaced: tuple[JsonObject, ...] = ()
    told: tuple[Told, ...] = ()
    done: bool = False
    """Whether nothing is to be waited for, either."""


# --- its Jobs --------------------------------------------------------------------------------------------------------


def counted(cron: JsonObject, jobs: Iterable[JsonObject], gone: Collection[str]) -> tuple[JsonObject, list[Told]]:
    """The status with its active Jobs as they are; `gone` are UIDs of those that the server has no more."""
    status, told = copied_object(member(cron, "status")), list[Told]()
    active = {text(each, "uid"): each for each in objects(status, "active")}
    for job in jobs:
        uid, ended = uid_of(job), conditions.is_finished(job)
        if not ended and uid not in active:
            said = f"Saw a job that the controller did not create or forgot: {name_of(job)}"
            told.append(Told("Warning", "UnexpectedJob", said))
        if not ended:
            continue
        state = member(job, "status")
        succeeded = conditions.holds(state, COMPLETE) is not None
        if active.pop(uid, None) is not None:
            how = COMPLETE if succeeded else FAILED
            told.append(Told("Normal", "SawCompletedJob", f"Saw completed job: {name_of(job)}, condition: {how}"))
        ended_at = text(state, "completionTime")
        if succeeded and ended_at > text(status, "lastSuccessfulTime"):
            status["lastSuccessfulTime"] = ended_at
    for uid in [uid for uid in active if uid in gone]:
        told.append(Told("Normal", "MissingJob", f"Active job went missing: {text(active.pop(uid), 'name')}"))
    return with_active(status, active.values()), told


def with_active(status: JsonObject, active: Iterable[JsonObject]) -> JsonObject:
    """The status with these active Jobs."""
    rest: JsonObject = {name: value for name, value in status.items() if name != "active"}
    listed: list[Json] = [*active]
    return {**rest, "active": listed} if listed else rest


def without_active(status: JsonObject, uid: str) -> JsonObject:
    """The status without an active Job."""
    return with_active(status, [each for each in objects(status, "active") if text(each, "uid") != uid])


def outdated(cron: JsonObject, jobs: Iterable[JsonObject]) -> list[JsonObject]:
    """The Jobs that have ended and are beyond the limits of its history, the oldest first."""
    spec, found = member(cron, "spec"), list[JsonObject]()
    known = list(jobs)
    for kind, limit in ((COMPLETE, "successfulJobsHistoryLimit"), (FAILED, "failedJobsHistoryLimit")):
        most = spec.get(limit)
        if not isinstance(most, int):
            continue
        ended = [job for job in known if conditions.holds(member(job, "status"), kind) is not None]
        ended.sort(key=lambda job: (text(member(job, "status"), "startTime") or "~", name_of(job)))
        found += ended[: max(len(ended) - most, 0)]
    return found


# --- what is due -----------------------------------------------------------------------------------------------------


def due(cron: JsonObject, status: JsonObject, clock: Clock) -> Start:
    """Whether a Job is to begin now. `status` is the one that is to be written."""
    spec, deadline = member(cron, "spec"), _deadline(cron)
    found = _missed(cron, status, clock, deadline)
    if found.impossible:
        fault = "time difference between two schedules is less than 1 second"
        said = f"invalid schedule: {text(spec, 'schedule')} : {fault}"
        return Start(told=(Told("Warning", "InvalidSchedule", said),), done=True)
    moment = found.latest
    if moment is None:
        return Start()
    told: tuple[Told, ...] = ()
    if found.many:
        hint = "Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        told = (Told("Warning", "TooManyMissedTimes", f"too many missed start times. {hint}"),)
    if deadline is not None and moment + deadline < clock.now:
        when = moment.strftime("%a, %d %b %Y %H:%M:%S +0000")
        return Start(told=(*told, Told("Warning", "MissSchedule", f"Missed scheduled time to start a job: {when}")))
    active = objects(status, "active")
    name = job_name(cron, moment)
    if any(text(each, "name") == name for each in active) or _last(status) == moment:
        return Start(told=told)
    policy = spec.get("concurrencyPolicy")
    if policy == "Forbid" and active:
        said = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return Start(told=(*told, Told("Normal", "JobAlreadyActive", said)))
    return Start(moment, tuple(active) if policy == "Replace" else (), told)


def wait(cron: JsonObject, status: JsonObject, clock: Clock) -> float | None:
    """The seconds until it is to be looked at again; None where its schedule has no moments."""
    found = _missed(cron, status, clock, None)
    after = found.latest or (clock.now if found.some or found.impossible else found.since)
    moment = following(clock.schedule, after, clock.zone)
    return None if moment is None else (moment - clock.now).total_seconds() + _PADDING


def _missed(cron: JsonObject, status: JsonObject, clock: Clock, deadline: dt.timedelta | None) -> Missed:
    since = _last(status) or parse(text(member(cron, "metadata"), "creationTimestamp")).astimezone(dt.UTC)
    if deadline is not None:
        since = max(since, clock.now - deadline)
    return missed(clock.schedule, clock.zone, since, clock.now)


def _deadline(cron: JsonObject) -> dt.timedelta | None:
    seconds = member(cron, "spec").get("startingDeadlineSeconds")
    return dt.timedelta(seconds=seconds) if isinstance(seconds, int) else None


def _last(status: JsonObject) -> dt.datetime | None:
    written = text(status, "lastScheduleTime")
    return parse(written).astimezone(dt.UTC) if written else None


def job_name(cron: JsonObject, moment: dt.datetime) -> str:
    """The name of the Job for a moment."""
    return f"{name_of(cron)}-{int(moment.timestamp()) // 60}"


def job_of(cron: JsonObject, moment: dt.datetime, zone: dt.tzinfo) -> JsonObject:
    """The Job for a moment; `zone` is the CronJob's own, or UTC."""
    template = member(member(cron, "spec"), "jobTemplate")
    of = member(template, "metadata")
    owners: list[Json] = [controller_reference(cron)]
    shown = moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z")
    at = f"{shown[:-5]}Z" if shown.endswith("+0000") else f"{shown[:-2]}:{shown[-2:]}"
    metadata: JsonObject = {
        "name": job_name(cron, moment),
        "namespace": namespace_of(cron),
        "labels": {**member(of, "labels")},
        "annotations": {**member(of, "annotations"), SCHEDULED: at},
        "ownerReferences": owners,
    }
    return copied_object({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]})


def started(status: JsonObject, job: JsonObject, moment: dt.datetime) -> JsonObject:
    """The status once a Job has begun."""
    metadata = member(job, "metadata")
    reference: JsonObject = {"kind": "Job", "namespace": namespace_of(job), "name": name_of(job), "uid": uid_of(job)}
    reference |= {"apiVersion": "batch/v1", "resourceVersion": metadata.get("resourceVersion")}
    made = with_active(status, [*objects(status, "active"), reference])
    return {**made, "lastScheduleTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def rests(cron: JsonObject) -> bool:
    """Whether it begins nothing."""
    return is_going(cron) or member(cron, "spec").get("suspend") is True
