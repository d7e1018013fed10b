"""The controllers of ReplicaSets and of ReplicationControllers: one engine, two rows.

Specification: Kubernetes, pkg/controller/replicaset and pkg/controller/replication. What is decided is in
`replicas.py`; here it is noticed and done. While the watch has not shown
what was done last, only the status is written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps import replicas
from podward.controllers.apps.acting import (
    NOT_FOUND,
    PODS,
    claimed,
    delete_pod,
    is_ending,
    make_pod,
    slow_start,
)
from podward.controllers.apps.expectations import Expectations
from podward.controllers.apps.following import Following
from podward.controllers.apps.ownership import (
    claims,
    controlled_by,
    controller_uid,
    is_going,
    key_of,
    labels_of,
    selected_by,
    uid_of,
)
from podward.controllers.apps.pods import is_active, is_terminating, made_from, next_availability
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.controllers.context import Context

Matches = Callable[[JsonObject], Callable[[JsonObject], bool]]


def selected_by_labels(owner: JsonObject) -> Callable[[JsonObject], bool]:
    """What the selector of a ReplicaSet matches."""
    return selected_by(member(member(owner, "spec"), "selector"))


def selected_by_map(owner: JsonObject) -> Callable[[JsonObject], bool]:
    """What the selector of a ReplicationController, a map of labels, matches; an empty one matches nothing."""
    wanted = member(member(owner, "spec"), "selector")
    return lambda obj: bool(wanted) and wanted.items() <= labels_of(obj).items()


class Kind(Struct, frozen=True):
    """What tells the two controllers apart."""

    resource: Resource
    account: str
    matches: Matches
    tells_terminating: bool


REPLICA_SETS = Kind(
    BY_PLURAL["apps", "v1", "replicasets"], "replicaset-controller", selected_by_labels, tells_terminating=True
)
REPLICATION_CONTROLLERS = Kind(
    BY_PLURAL["", "v1", "replicationcontrollers"], "replication-controller", selected_by_map, tells_terminating=False
)


async def make(context: Context) -> ReplicaController:
    """The controller of ReplicaSets."""
    return await made_for(context, REPLICA_SETS)


async def made_for(context: Context, kind: Kind) -> ReplicaController:
    """The controller of one of the two."""
    client = await context.client_for(kind.account)
    return ReplicaController(context, kind, client, context.recorder(client, kind.account))


class ReplicaController:
    """Keeps as many Pods as each owner wishes for."""

    def __init__(self, context: Context, kind: Kind, client: Client, recorder: Recorder) -> None:
        self._kind = kind
        self._client = client
        self._recorder = recorder
        self._owners = context.informers.of(kind.resource)
        self._pods = context.informers.of(PODS)
        self._expectations = Expectations(time.monotonic)
        self._queue = WorkQueue(kind.account, self._reconcile, workers=5)

    async def start(self) -> None:
        """Look at all owners, and at what changes."""
        Following(self._owners, self._kind.matches, self._expectations, self._queue).start(self._pods)
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        owner = self._owners.get(namespace, name)
        if owner is None:
            self._expectations.forget(key)
            return None
        may_act = self._expectations.fulfilled(key)
        matches, there = self._kind.matches(owner), self._pods.items(namespace)
        found = claims(owner, matches, filter(is_active, there))
        active = await claimed(self._client, (self._kind.resource, PODS), owner, found)
        if isinstance(active, Status):
            return Retry.LATER
        refused = None
        if may_act and not is_going(owner):
            refused = await self._act(owner, active)
        now = time.time()
        terminating = [pod for pod in controlled_by(owner, there) if is_terminating(pod) and matches(pod)]
        counted = replicas.Counted(
            active,
            len(terminating) if self._kind.tells_terminating else None,
            refused.message if refused is not None else "",
            now,
        )
        status = replicas.status_of(owner, counted)
        if not same(status, member(owner, "status")):
            answer = await self._client.replace(self._kind.resource, namespace, {**owner, "status": status}, "status")
            if isinstance(answer, Status) and answer.code != NOT_FOUND:
                return Retry.LATER
        if refused is not None:
            return Retry.LATER
        return next_availability(active, number(member(owner, "spec"), "minReadySeconds"), now)

    async def _act(self, owner: JsonObject, active: list[JsonObject]) -> Status | None:
        change = replicas.change(owner, active, self._related(owner), time.time())
        if change.make:
            return await self._make(owner, change.make)
        if change.delete:
            return await self._delete(owner, change.delete)
        return None

    def _related(self, owner: JsonObject) -> list[JsonObject]:
        """The Pods of all owners that the owner's own owner has."""
        above, namespace = controller_uid(owner), str(member(owner, "metadata").get("namespace"))
        if not above:
            return []
        siblings = [self._kind.matches(each) for each in self._owners.items(namespace) if controller_uid(each) == above]
        return [pod for pod in self._pods.items(namespace) if any(matches(pod) for matches in siblings)]

    async def _make(self, owner: JsonObject, count: int) -> Status | None:
        key, pod = key_of(owner), made_from(member(member(owner, "spec"), "template"), owner)
        self._expectations.expect(key, count, ())

        async def one(_: int) -> Status | None:
            return await make_pod(self._client, self._recorder, owner, pod)

        done, refused = await slow_start(count, one)
        if done < count:
            self._expectations.created(key, count - done)
        return None if refused is not None and is_ending(refused) else refused

    async def _delete(self, owner: JsonObject, pods: tuple[JsonObject, ...]) -> Status | None:
        key = key_of(owner)
        self._expectations.expect(key, 0, map(uid_of, pods))
        answers = await asyncio.gather(*(delete_pod(self._client, self._recorder, owner, pod) for pod in pods))
        first = None
        for pod, answer in zip(pods, answers, strict=True):
            if answer is not None:
                self._expectations.deleted(key, uid_of(pod))
                if answer.code != NOT_FOUND and first is None:
                    first = Status(answer.code, answer.reason, f"unable to delete pods: {answer.message}")
        return first
