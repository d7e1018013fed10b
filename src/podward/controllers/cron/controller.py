"""The CronJob controller: follows CronJobs and their Jobs, and sleeps until the next one is due.

Specification: Kubernetes, pkg/controller/cronjob. A CronJob without a time zone is understood in that of this machine.
"""

from __future__ import annotations

import datetime as dt
import os
from zoneinfo import ZoneInfo

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND, is_ending, is_taken, owner_in
from podward.controllers.apps.ownership import controlled_by, controller_uid, is_going, name_of, namespace_of, uid_of
from podward.controllers.context import Context
from podward.controllers.cron import decisions
from podward.controllers.cron.decisions import Clock, Told
from podward.controllers.written import Written
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.schedules import Schedule, parsed
from podward.schema.validation.raw import pointer, text

ACCOUNT = "cronjob-controller"
_CRON_JOBS, _JOBS = (BY_PLURAL["batch", "v1", name] for name in ("cronjobs", "jobs"))
_WORKERS = 5
_HINT = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"


async def make(context: Context) -> CronJobController:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return CronJobController(context, client, context.recorder(client, ACCOUNT))


class CronJobController:
    """All CronJobs."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._informer = context.informers.of(_CRON_JOBS)
        jobs = context.informers.of(_JOBS)
        self._cron_jobs, self._jobs = Written(self._informer), Written(jobs)
        self._local = _local_zone()
        self._queue = WorkQueue(ACCOUNT, self._reconcile, _WORKERS)
        self._informer.listeners.append(self._changed)
        jobs.listeners.append(self._job_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _changed(self, change: Change) -> None:
        """A new schedule begins with its next moment; everything else is looked at now."""
        key, old, new = "/".join(key_of(change.object)), change.old, change.new
        if old is not None and new is not None and _schedule_of(old) != _schedule_of(new):
            clock = self._clock(new)
            seconds = None if clock is None else decisions.wait(new, member(new, "status"), clock)
            if seconds is not None:
                self._queue.add_after(key, seconds)
            return
        self._queue.add(key)

    def _job_changed(self, change: Change) -> None:
        for state in (change.old, change.new):
            owner = owner_in(self._informer, state) if state is not None else None
            if owner is not None:
                self._queue.add("/".join(key_of(owner)))

    async def _reconcile(self, key: str) -> float | Retry | None:
        cron = self._cron_jobs.get(*key.split("/", 1))
        if cron is None:
            return None
        jobs = controlled_by(cron, self._jobs.items(namespace_of(cron)))
        gone = await self._gone(cron, jobs)
        if isinstance(gone, Status):
            return Retry.LATER
        kept = member(cron, "status")
        for job in decisions.outdated(cron, jobs):
            if await self._delete(cron, job):
                kept = decisions.without_active(kept, uid_of(job))
        status, told = decisions.counted({**cron, "status": kept}, jobs, gone)
        self._tell(cron, told)
        clock = None if decisions.rests(cron) else self._clock(cron)
        again: float | Retry | None = None
        if clock is not None:
            status, again = await self._start(cron, status, clock)
        if status != member(cron, "status") and not await self._store(cron, status):
            return Retry.LATER
        return again

    async def _gone(self, cron: JsonObject, jobs: list[JsonObject]) -> set[str] | Status:
        """The UIDs of active Jobs that the server has no more."""
        there, found = {uid_of(job) for job in jobs}, set[str]()
        for each in objects(member(cron, "status"), "active"):
            uid = text(each, "uid")
            if uid in there:
                continue
            answer = await self._client.get(_JOBS, namespace_of(cron), text(each, "name"))
            if isinstance(answer, Status) and answer.code != NOT_FOUND:
                return answer
            if isinstance(answer, Status) or uid_of(answer) != uid:
                found.add(uid)
        return found

    def _clock(self, cron: JsonObject) -> Clock | None:
        """How the schedule is understood; None, and told, where it cannot be."""
        spec = member(cron, "spec")
        schedule, named = text(spec, "schedule"), pointer(spec, "timeZone")
        zone = self._local if named is None else _zone(named)
        if zone is None:
            said = f"invalid timeZone: {quote(named or '')}: unknown time zone {named}"
            self._recorder.event(cron, "Warning", "UnknownTimeZone", said)
            return None
        found = parsed(schedule)
        if isinstance(found, Schedule) and "TZ" in schedule:
            said = f"CRON_TZ or TZ used in schedule {quote(schedule)} is not officially supported, see {_HINT}"
            self._recorder.event(cron, "Warning", "UnsupportedSchedule", said)
            zone = _zone(found.zone) or zone
        if isinstance(found, str):
            said = f"unparseable schedule: {quote(schedule)} : {found}"
            self._recorder.event(cron, "Warning", "UnparseableSchedule", said)
            return None
        return Clock(found, zone, dt.datetime.now(dt.UTC))

    async def _start(
        self, cron: JsonObject, status: JsonObject, clock: Clock
    ) -> tuple[JsonObject, float | Retry | None]:
        """Begin what is due; the status then, and when to look again."""
        start = decisions.due(cron, status, clock)
        self._tell(cron, start.told)
        if start.moment is not None:
            for each in start.replaced:
                if not await self._replace(cron, each):
                    return status, Retry.LATER
                status = decisions.without_active(status, text(each, "uid"))
            zone = _zone(pointer(member(cron, "spec"), "timeZone") or "UTC") or dt.UTC
            job = await self._make(cron, decisions.job_of(cron, start.moment, zone))
            if isinstance(job, Status):
                return status, None if is_ending(job) else Retry.LATER
            known = {text(each, "uid") for each in objects(status, "active")}
            if controller_uid(job) == uid_of(cron) and uid_of(job) not in known:
                status = decisions.started(status, job, start.moment)
        return status, None if start.done else decisions.wait(cron, status, clock)

    async def _make(self, cron: JsonObject, job: JsonObject) -> JsonObject | Status:
        """Make a Job; the one that is there, where there is one."""
        namespace = namespace_of(cron)
        answer = await self._client.create(_JOBS, namespace, job)
        if is_taken(answer):
            return await self._client.get(_JOBS, namespace, name_of(job))
        if isinstance(answer, Status):
            if not is_ending(answer):
                self._recorder.event(cron, "Warning", "FailedCreate", f"Error creating job: {answer.message}")
            return answer
        self._jobs.put(answer)
        self._recorder.event(cron, "Normal", "SuccessfulCreate", f"Created job {name_of(answer)}")
        return answer

    async def _replace(self, cron: JsonObject, reference: JsonObject) -> bool:
        job = await self._client.get(_JOBS, namespace_of(cron), text(reference, "name"))
        if isinstance(job, Status):
            self._recorder.event(cron, "Warning", "FailedGet", f"Get job: {job.message}")
            return False
        return await self._delete(cron, job)

    async def _delete(self, cron: JsonObject, job: JsonObject) -> bool:
        """Delete a Job with its Pods; whether it is."""
        if is_going(job):
            return True
        options: JsonObject = {"propagationPolicy": "Background"}
        answer = await self._client.delete(_JOBS, namespace_of(job), name_of(job), options)
        if isinstance(answer, Status):
            self._recorder.event(cron, "Warning", "FailedDelete", f"Deleted job: {answer.message}")
            return answer.code == NOT_FOUND
        self._jobs.gone(job)
        self._recorder.event(cron, "Normal", "SuccessfulDelete", f"Deleted job {name_of(job)}")
        return True

    async def _store(self, cron: JsonObject, status: JsonObject) -> bool:
        answer = await self._client.replace(_CRON_JOBS, namespace_of(cron), {**cron, "status": status}, "status")
        if isinstance(answer, Status):
            return False
        self._cron_jobs.put(answer)
        return True

    def _tell(self, cron: JsonObject, told: list[Told] | tuple[Told, ...]) -> None:
        for each in told:
            self._recorder.event(cron, each.kind, each.reason, each.message)


def _schedule_of(cron: JsonObject) -> tuple[str, str | None]:
    spec = member(cron, "spec")
    return text(spec, "schedule"), pointer(spec, "timeZone")


def _zone(name: str) -> dt.tzinfo | None:
    """The time zone of this name; None where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _local_zone() -> dt.tzinfo:
    """The time zone of this machine."""
    named = os.environ.get("TZ")
    if named:
        return _zone(named) or dt.UTC
    try:
        with open("/etc/localtime", "rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return dt.UTC
