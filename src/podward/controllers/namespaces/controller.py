"""The namespace controller: deletes what is in a namespace that ends, Pods first, then lets it go.

Specification: Kubernetes, pkg/controller/namespace: with ordered deletion, nothing else goes while Pods are left. It is
looked at again when half of the time is over that what is left is expected to take, and whenever a Pod in it is gone.
"""

from __future__ import annotations

import asyncio
import time

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client, path_of
from podward.client.informer import Change, key_of
from podward.client.work import WorkQueue
from podward.controllers.context import Context
from podward.controllers.discovery import discovery_of
from podward.controllers.namespaces.conditions import (
    Left,
    Totals,
    finalized,
    grace_of_pods,
    left_of,
    with_conditions,
)
from podward.documents.raw_fields import member, objects
from podward.schema.moments import seconds
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text, texts

ACCOUNT = "namespace-controller"
_NAMESPACES, _PODS = (BY_PLURAL["", "v1", name] for name in ("namespaces", "pods"))
_FINALIZER = "kubernetes"
_BEFORE, _TOGETHER = 0.5, 0.05
"""Seconds: until every server knows that a namespace ends, and for which changes are waited that come together."""
_FIRST, _MOST = 0.005, 60.0
_WORKERS, _AT_ONCE = 10, 8
_NOT_FOUND, _NOT_ALLOWED, _CONFLICT = 404, 405, 409


async def make(context: Context) -> NamespaceController:
    """The controller."""
    return NamespaceController(context, await context.client_for(ACCOUNT))


class NamespaceController:
    """All namespaces that end."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._namespaces = context.informers.of(_NAMESPACES)
        self._discovery = discovery_of(context.admin, context.informers)
        self._failures: dict[str, int] = {}
        self._queue = WorkQueue(ACCOUNT, self._reconcile, _WORKERS)
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._namespaces.listeners.append(self._changed)
        context.informers.of(_PODS).listeners.append(self._pod_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._discovery.start()
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._discovery.close()
        await self._queue.close()

    def _changed(self, change: Change) -> None:
        if change.new is not None and member(change.new, "metadata").get("deletionTimestamp") is not None:
            self._queue.add_after(text(member(change.new, "metadata"), "name"), _BEFORE)

    def _pod_changed(self, change: Change) -> None:
        """A Pod is gone: what waits for it goes on."""
        namespace, _ = key_of(change.object)
        of = self._namespaces.get("", namespace) if change.new is None else None
        if of is not None and member(of, "metadata").get("deletionTimestamp") is not None:
            self._queue.add_after(namespace, _TOGETHER)

    async def _reconcile(self, name: str) -> float | None:
        namespace = await self._client.get(_NAMESPACES, "", name)
        if isinstance(namespace, Status):
            return self._after(name, done=namespace.code == _NOT_FOUND)
        ends = member(namespace, "metadata").get("deletionTimestamp") is not None
        if not ends or not texts(member(namespace, "spec"), "finalizers"):
            return self._after(name, done=True)
        totals = await self._emptied(namespace)
        if not await self._tell(namespace, totals) or totals.faults or totals.undiscovered:
            return self._after(name, done=False)
        if totals.by_resource:
            self._failures.pop(name, None)
            return totals.seconds // 2 + 1.0
        return self._after(name, done=await self._let_go(name))

    def _after(self, name: str, *, done: bool) -> float | None:
        """In how many seconds to look again."""
        failures = self._failures.pop(name, 0)
        if done:
            return None
        self._failures[name] = failures + 1
        return float(min(_FIRST * 2.0 ** min(failures, 20), _MOST))

    # --- what is in it -----------------------------------------------------------------------------------------------

    async def _emptied(self, namespace: JsonObject) -> Totals:
        """What is left after everything was told to go."""
        metadata, served = member(namespace, "metadata"), await self._discovery.current()
        name, gone = text(metadata, "name"), time.time() - seconds(text(metadata, "deletionTimestamp"))
        totals = Totals()
        if served.failed:
            totals.undiscovered = f"Discovery failed for some groups, {len(served.failed)} failing: {served.fault}"
        totals.add(_PODS, await self._emptied_of(_PODS, name, gone))
        if totals.by_resource:
            totals.counted = False
            return totals
        others = [each for each in served.preferred if each.namespaced and "delete" in each.verbs and each != _PODS]
        every = await asyncio.gather(*(self._emptied_of(each, name, gone) for each in others))
        for resource, left in zip(others, every, strict=True):
            totals.add(resource, left)
        return totals

    async def _emptied_of(self, resource: Resource, namespace: str, gone: float) -> Left:
        async with self._at_once:
            items = await self._items(resource, namespace)
            if isinstance(items, Status):
                return Left(fault=items.message)
            if not items:
                return Left()
            grace = grace_of_pods(items, gone) if resource == _PODS else 0
            refused = await self._delete(resource, namespace, items)
            if refused is not None:
                return Left(seconds=grace, fault=refused.message)
            rest = await self._items(resource, namespace)
            return Left(fault=rest.message) if isinstance(rest, Status) else left_of(resource, namespace, rest, grace)

    async def _items(self, resource: Resource, namespace: str) -> list[JsonObject] | Status:
        if "list" not in resource.verbs:
            return []
        answer = await self._client.list(resource, namespace)
        if isinstance(answer, Status):
            return [] if answer.code in {_NOT_FOUND, _NOT_ALLOWED} else answer
        return objects(answer, "items")

    async def _delete(self, resource: Resource, namespace: str, items: list[JsonObject]) -> Status | None:
        """Delete all of a resource; what refused it."""
        options: JsonObject = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if "deletecollection" in resource.verbs:
            answer = await self._client.ask("DELETE", path_of(resource, namespace), options)
            if not isinstance(answer, Status):
                return None
            if answer.code not in {_NOT_FOUND, _NOT_ALLOWED}:
                return answer
        for each in items:
            answer = await self._client.delete(resource, namespace, text(member(each, "metadata"), "name"), options)
            if isinstance(answer, Status) and answer.code not in {_NOT_FOUND, _NOT_ALLOWED}:
                return answer
        return None

    # --- the namespace itself ----------------------------------------------------------------------------------------

    async def _tell(self, namespace: JsonObject, totals: Totals) -> bool:
        """Have its status say what is left; whether it does."""
        status = member(namespace, "status")
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        told = with_conditions({**status, "phase": "Terminating"}, totals, now)
        if told == status:
            return True
        answer = await self._client.replace(_NAMESPACES, "", {**namespace, "status": told}, "status")
        return not isinstance(answer, Status) or answer.code == _NOT_FOUND

    async def _let_go(self, name: str) -> bool:
        """Take our finalizer away; whether it is."""
        while True:
            latest = await self._client.get(_NAMESPACES, "", name)
            if isinstance(latest, Status):
                return latest.code == _NOT_FOUND
            answer = await self._client.replace(_NAMESPACES, "", finalized(latest, _FINALIZER), "finalize")
            if not isinstance(answer, Status):
                return True
            if answer.code != _CONFLICT:
                return answer.code == _NOT_FOUND
