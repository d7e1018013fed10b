"""Jobs that have ended are deleted after the seconds of their `ttlSecondsAfterFinished`.

Specification: Kubernetes, pkg/controller/ttlafterfinished: the Job is read past the cache before it goes, in the
foreground, with its Pods.
"""

from __future__ import annotations

import time

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND
from podward.controllers.apps.ownership import is_going, uid_of
from podward.controllers.apps.pods import moment_of
from podward.controllers.context import Context
from podward.controllers.jobs import conditions
from podward.controllers.jobs.conditions import COMPLETE, FAILED
from podward.controllers.jobs.pod_writing import JOBS
from podward.documents.raw_fields import member

ACCOUNT = "ttl-after-finished-controller"


async def make(context: Context) -> ExpiryController:
    """The controller."""
    return ExpiryController(context, await context.client_for(ACCOUNT))


def seconds_left(job: JsonObject, now: float) -> float | None:
    """The seconds that an ended Job may still stay; None where nothing ends its stay."""
    stay, status = member(job, "spec").get("ttlSecondsAfterFinished"), member(job, "status")
    ended = conditions.holds(status, COMPLETE) or conditions.holds(status, FAILED)
    if is_going(job) or not isinstance(stay, int) or ended is None:
        return None
    since = moment_of(ended, "lastTransitionTime")
    return None if since is None else since + stay - now


class ExpiryController:
    """All Jobs that have ended."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._jobs = context.informers.of(JOBS)
        self._queue = WorkQueue(ACCOUNT, self._reconcile)
        self._jobs.listeners.append(self._changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _changed(self, change: Change) -> None:
        if change.new is not None and seconds_left(change.new, 0) is not None:
            self._queue.add("/".join(key_of(change.new)))

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        job = self._jobs.get(namespace, name)
        left = None if job is None else seconds_left(job, time.time())
        if left is None or left > 0:
            return left
        fresh = await self._client.get(JOBS, namespace, name)
        if isinstance(fresh, Status):
            return None if fresh.code == NOT_FOUND else Retry.LATER
        left = seconds_left(fresh, time.time())
        if left is None or left > 0:
            return left
        options: JsonObject = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid_of(fresh)}}
        answer = await self._client.delete(JOBS, namespace, name, options)
        return Retry.LATER if isinstance(answer, Status) and answer.code != NOT_FOUND else None
