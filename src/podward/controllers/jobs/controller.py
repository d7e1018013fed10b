"""The Job controller: follows Jobs and their Pods, and does what was decided about each Job, step by step.

Specification: Kubernetes, pkg/controller/job. Jobs that another controller manages are left alone. Pods that still wait
to be counted while their Job is gone or has ended are let go of.
"""

from __future__ import annotations

import asyncio
import logging
import time

from podward.api.json_value import JsonObject, copied_object
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import CONFLICT, PODS, is_ending, owner_in, slow_start
from podward.controllers.apps.ownership import controller_of, is_going, labels_of, name_of, namespace_of, uid_of
from podward.controllers.apps.pods import is_terminating
from podward.controllers.context import Context
from podward.controllers.jobs import backoff, tracking
from podward.controllers.jobs.conditions import is_finished
from podward.controllers.jobs.evaluation import concluded, evaluated
from podward.controllers.jobs.pod_writing import JOBS, PodWriting
from podward.controllers.jobs.pods_of import is_tracked, made
from podward.controllers.jobs.state import Evaluation, Told
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.strategies.selectors import selects

ACCOUNT = "job-controller"
_OWN = "kubernetes.io/job-controller"
_TOGETHER = 0.1
"""Seconds for which changes of Pods are waited that come together."""
_ENDING = 1.0
"""Seconds in which a Pod that is deleted may still succeed before it counts as failed."""
_FIRST, _MOST = 1.0, 60.0
_WORKERS = 5
_log = logging.getLogger("podward.controllers")
_MODES = frozenset((None, "Indexed", "NonIndexed"))


async def make(context: Context) -> JobController:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return JobController(context, client, context.recorder(client, ACCOUNT))


class JobController:
    """All Jobs."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._jobs_informer = context.informers.of(JOBS)
        pods = context.informers.of(PODS)
        self._jobs = Written(self._jobs_informer)
        self._pods = Written(pods)
        self._writing = PodWriting(client, recorder, self._pods)
        self._records: dict[str, backoff.Record] = {}
        self._failures: dict[str, int] = {}
        self._queue = WorkQueue("job", self._reconcile, _WORKERS)
        self._orphans = WorkQueue("job, orphan pods", self._let_go, _WORKERS)
        self._jobs_informer.listeners.append(self._job_changed)
        pods.listeners.append(self._pod_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()
        self._orphans.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()
        await self._orphans.close()

    # --- what there is to do -----------------------------------------------------------------------------------------

    def _job_changed(self, change: Change) -> None:
        job = change.object
        key, old = "/".join(key_of(job)), change.old
        if change.new is None or is_finished(job):
            selector = member(member(job, "spec"), "selector")
            for pod in self._pods.items(namespace_of(job)):
                if is_tracked(pod) and selects(selector, labels_of(pod)):
                    self._orphans.add("/".join(key_of(pod)))
            self._queue.add(key)
        elif old is not None and member(old, "metadata").get("generation") == member(job, "metadata").get("generation"):
            self._queue.add_after(key, _TOGETHER)
        else:
            self._queue.add(key)

    def _pod_changed(self, change: Change) -> None:
        pod = change.object
        for state in (change.old, change.new):
            job = owner_in(self._jobs_informer, state) if state is not None else None
            if job is not None:
                self._queue.add_after("/".join(key_of(job)), _ENDING if _is_just_ending(change) else _TOGETHER)
        if is_tracked(pod) and self._is_orphan(pod):
            self._orphans.add("/".join(key_of(pod)))
        if controller_of(pod) is None and change.new is not None:
            self._offer(pod)

    def _offer(self, pod: JsonObject) -> None:
        """Have the Jobs looked at that may adopt the Pod."""
        for job in self._jobs_informer.items(namespace_of(pod)):
            selector = member(member(job, "spec"), "selector")
            if selector and selects(selector, labels_of(pod)):
                self._queue.add_after("/".join(key_of(job)), _TOGETHER)

    def _is_orphan(self, pod: JsonObject) -> bool:
        """Whether no Job will ever count the Pod."""
        reference = controller_of(pod)
        if reference is None:
            return True
        if reference.get("kind") != "Job" or reference.get("apiVersion") != JOBS.api_version:
            return False
        job = owner_in(self._jobs_informer, pod)
        return job is None or (not _is_managed_elsewhere(job) and is_finished(job))

    async def _let_go(self, key: str) -> Retry | None:
        pod = self._pods.get(*key.split("/", 1))
        if pod is None or not self._is_orphan(pod):
            return None
        return Retry.LATER if await self._writing.untrack(pod) is not None else None

    # --- a Job -------------------------------------------------------------------------------------------------------

    async def _reconcile(self, key: str) -> float | None:
        job = self._jobs.get(*key.split("/", 1))
        if job is None or _is_managed_elsewhere(job) or is_finished(job):
            self._records.pop(key, None)
            self._failures.pop(key, None)
            return None
        if member(job, "spec").get("completionMode") not in _MODES:
            said = "Skipped Job sync because completion mode is unknown"
            self._recorder.event(job, "Warning", "UnknownCompletionMode", said)
            return None
        pods = await self._writing.claimed(job)
        if isinstance(pods, Status):
            return self._later(key)
        this = evaluated(job, pods, self._records.get(key, backoff.Record()), time.time())
        refused = await self._do(key, this)
        if refused:
            return self._later(key)
        self._failures.pop(key, None)
        return min(this.wanted.again, default=None)

    def _later(self, key: str) -> float:
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        return float(min(_FIRST * 2.0 ** min(failures, 10), _MOST))

    async def _do(self, key: str, this: Evaluation) -> bool:
        """Act on the Pods, then write what came of it; whether something was refused."""
        removed, failed = await self._remove(this)
        count, refused = await self._make(this)
        changed, told = concluded(this, removed, count)
        for each in told:
            self._tell(this.job, each)
        found = tracking.noted(this, changed=changed)
        if found.changed:
            if not await self._store(this):
                return True
            self._records[key] = this.record
        answers = await asyncio.gather(*(self._writing.untrack(pod) for pod in found.released))
        let_go = {uid_of(pod) for pod, answer in zip(found.released, answers, strict=True) if answer is None}
        left = tracking.count_released(this.status, found.tracked - let_go)
        stuck = any(answer is not None for answer in answers)
        ended = None if stuck else tracking.ended(this, full=found.full)
        if left or ended is not None:
            if not await self._store(this):
                return True
            for each in ended or ():
                self._tell(this.job, each)
        return stuck or failed or refused

    async def _remove(self, this: Evaluation) -> tuple[list[JsonObject], bool]:
        """The Pods that go; whether one of them would not."""
        wanted = this.wanted

        async def remove(pod: JsonObject) -> bool:
            if wanted.stripped and await self._writing.untrack(pod) is not None:
                return False
            return await self._writing.delete(this.job, pod) is None

        gone = await asyncio.gather(*(remove(pod) for pod in wanted.removed))
        removed = [pod for pod, done in zip(wanted.removed, gone, strict=True) if done]
        return removed, len(removed) < len(gone)

    async def _make(self, this: Evaluation) -> tuple[int, bool]:
        """How many Pods were made; whether one was refused."""
        wanted = this.wanted.made

        async def make_one(at: int) -> Status | None:
            index = wanted[at]
            replaced = None if index is None else this.delayed.get(index)
            return await self._writing.make(this.job, made(this.job, index, replaced))

        count, refused = await slow_start(len(wanted), make_one)
        return count, refused is not None and not is_ending(refused)

    async def _store(self, this: Evaluation) -> bool:
        """Write the status; whether it was. The Job is the one that was answered from then on."""
        answer = await self._client.replace(
            JOBS, namespace_of(this.job), {**this.job, "status": copied_object(this.status)}, "status"
        )
        if isinstance(answer, Status):
            if answer.code != CONFLICT:
                _log.warning("the status of Job %s cannot be written: %s", name_of(this.job), answer.message)
            return False
        self._jobs.put(answer)
        this.job, this.status = answer, copied_object(member(answer, "status"))
        this.status.setdefault("uncountedTerminatedPods", {})
        return True

    def _tell(self, job: JsonObject, each: Told) -> None:
        self._recorder.event(job, each.kind, each.reason, each.message)


def _is_just_ending(change: Change) -> bool:
    """Whether the deletion of a Pod that runs is what is new about it."""
    new, old = change.new, change.old
    return new is not None and is_terminating(new) and old is not None and not is_going(old)


def _is_managed_elsewhere(job: JsonObject) -> bool:
    manager = member(job, "spec").get("managedBy")
    return isinstance(manager, str) and manager != _OWN
