"""The controller of DaemonSets at work: what `rollout.py` decides is written.

Specification: Kubernetes, pkg/controller/daemon/daemon_controller.go and update.go. Where several revisions have the
template, one stays and Pods get its hash. While the watch has not shown what was done last, only the status is written.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps import history
from podward.controllers.apps.acting import (
    NOT_FOUND,
    PODS,
    claimed,
    delete_pod,
    is_ending,
    make_pod,
    slow_start,
)
from podward.controllers.apps.backoff import Backoff
from podward.controllers.apps.daemon_sets import nodes, rollout
from podward.controllers.apps.daemon_sets.rollout import Facts, Plan
from podward.controllers.apps.expectations import Expectations
from podward.controllers.apps.following import Following
from podward.controllers.apps.hashes import template_hash
from podward.controllers.apps.history import HASH, REVISIONS
from podward.controllers.apps.ownership import (
    claims,
    is_going,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    selected_by,
    uid_of,
)
from podward.controllers.apps.pods import has_ended, next_availability
from podward.controllers.apps.revising import Revising
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same
from podward.schema.strategies.selectors import is_empty
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.client.informer import Change
    from podward.controllers.context import Context

SETS, NODES = BY_PLURAL["apps", "v1", "daemonsets"], BY_PLURAL["", "v1", "nodes"]
_ACCOUNT, _COMPONENT = "daemon-set-controller", "daemonset-controller"
_BURST = 250
_ALL = "This daemon set is selecting all pods. A non-empty selector is required."


async def make(context: Context) -> DaemonSetController:
    """The controller of DaemonSets."""
    client = await context.client_for(_ACCOUNT)
    return DaemonSetController(context, client, context.recorder(client, _COMPONENT))


def _matches(owner: JsonObject) -> Callable[[JsonObject], bool]:
    return selected_by(member(member(owner, "spec"), "selector"))


class DaemonSetController:
    """Keeps one Pod on every node that fits."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._sets = context.informers.of(SETS)
        self._pods = context.informers.of(PODS)
        self._nodes = context.informers.of(NODES)
        self._revising = Revising(client, SETS, context.informers.of(REVISIONS))
        self._expectations = Expectations(time.monotonic)
        self._backoff = Backoff(time.monotonic)
        self._queue = WorkQueue(_COMPONENT, self._reconcile)

    async def start(self) -> None:
        """Look at all DaemonSets, and at what changes."""
        Following(self._sets, _matches, self._expectations, self._queue).start(self._pods)
        self._nodes.listeners.append(self._take_node)
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    def _take_node(self, change: Change) -> None:
        """A node that may fit now, or no more."""
        old, new = change.old, change.new
        if old is not None and new is not None:
            alike = labels_of(old) == labels_of(new) and member(old, "spec") == member(new, "spec")
            if alike:
                return
        for owner in self._sets.items():
            self._queue.add(key_of(owner))

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        owner = self._sets.get(namespace, name)
        if owner is None:
            self._expectations.forget(key)
            return None
        if is_empty(member(member(owner, "spec"), "selector")):
            self._recorder.event(owner, "Warning", "SelectingAll", _ALL)
            return None
        if is_going(owner):
            return None
        pods = await claimed(
            self._client, (SETS, PODS), owner, claims(owner, _matches(owner), self._pods.items(namespace))
        )
        revisions = await self._revising.claimed(owner)
        if isinstance(pods, Status) or isinstance(revisions, Status):
            return Retry.LATER
        return await self._step(owner, pods, revisions)

    async def _step(
        self, owner: JsonObject, pods: list[JsonObject], revisions: list[JsonObject]
    ) -> float | Retry | None:
        found = history.read(owner, revisions)
        current = await self._revising.current(owner, found, _revision(owner, found.number))
        if isinstance(current, Status):
            return Retry.LATER
        await self._keep_one(owner, found, current, pods)
        there = [pod for pod in pods if not (is_going(pod) and has_ended(pod))]
        facts = Facts(
            nodes.verdicts(owner, self._nodes.items()),
            nodes.by_node(there),
            str(labels_of(current).get(HASH, "")),
            time.time(),
            lambda node: self._backoff.left(_failure(owner, node)),
        )
        may_act, again, refused = self._expectations.fulfilled(key_of(owner)), None, None
        if may_act:
            plan = rollout.decide(owner, facts)
            again, refused = plan.again, await self._act(owner, plan, facts.hash)
            if refused is None:
                limit = number(member(owner, "spec"), "revisionHistoryLimit")
                used = {str(labels_of(pod).get(HASH, "")) for pod in pods}
                refused = await self._revising.delete(owner, history.surplus(found.old, used, limit))
        status = rollout.status_of(owner, facts, observed=may_act)
        if not same(status, member(owner, "status")):
            answer = await self._client.replace(SETS, namespace_of(owner), {**owner, "status": status}, "status")
            if isinstance(answer, Status) and answer.code != NOT_FOUND:
                return Retry.LATER
        waits = (again, next_availability(there, number(member(owner, "spec"), "minReadySeconds"), facts.now))
        return Retry.LATER if refused is not None else min((wait for wait in waits if wait is not None), default=None)

    async def _keep_one(
        self, owner: JsonObject, found: history.History, current: JsonObject, pods: list[JsonObject]
    ) -> None:
        """Of several revisions with the template keep the current one; Pods of the others get its hash."""
        others = [each for each in found.alike if name_of(each) != name_of(current)]
        hashes = {labels_of(each).get(HASH) for each in others}
        label: JsonObject = {"metadata": {"labels": {HASH: labels_of(current).get(HASH)}}}
        for pod in pods:
            if hashes and labels_of(pod).get(HASH) in hashes:
                await self._client.patch(PODS, namespace_of(owner), name_of(pod), label)
        await self._revising.delete(owner, map(name_of, others))

    async def _act(self, owner: JsonObject, plan: Plan, found_hash: str) -> Status | None:
        for kind, reason, message in plan.events:
            self._recorder.event(owner, kind, reason, message)
        for node in plan.failed:
            self._backoff.failed(_failure(owner, node))
        key, make, delete = key_of(owner), plan.make[:_BURST], plan.delete[:_BURST]
        if not make and not delete:
            return None
        self._expectations.expect(key, len(make), map(uid_of, delete))

        async def one(index: int) -> Status | None:
            return await make_pod(self._client, self._recorder, owner, nodes.pod_for(owner, make[index], found_hash))

        done, refused = await slow_start(len(make), one)
        if done < len(make):
            self._expectations.created(key, len(make) - done)
        answers = await asyncio.gather(*(delete_pod(self._client, self._recorder, owner, pod) for pod in delete))
        for pod, answer in zip(delete, answers, strict=True):
            if answer is not None:
                self._expectations.deleted(key, uid_of(pod))
                refused = answer if answer.code != NOT_FOUND else refused
        return None if refused is not None and is_ending(refused) else refused


def _revision(owner: JsonObject, revision: int) -> JsonObject:
    """The revision of the owner's template, if it must be made."""
    template, collisions = member(member(owner, "spec"), "template"), member(owner, "status").get("collisionCount")
    found = template_hash(template, collisions if type(collisions) is int else None)
    labels: JsonObject = {**member(member(template, "metadata"), "labels"), HASH: found}
    return history.made(owner, labels, found, revision)


def _failure(owner: JsonObject, node: str) -> str:
    return f"{uid_of(owner)}/{number(member(owner, 'status'), 'observedGeneration')}/{node}"
