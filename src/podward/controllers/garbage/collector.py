"""The garbage collector: follows every resource that can be deleted, and asks the server before it deletes anything.

Specification: Kubernetes, pkg/controller/garbagecollector garbagecollector.go. Events are not followed.
"""

from __future__ import annotations

import asyncio

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, Informer
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.discovery import discovery_of
from podward.controllers.garbage.graph import (
    FOREGROUND,
    ORPHAN,
    Effects,
    Graph,
    Identity,
    Node,
    identity_of,
    is_waiting,
    referenced,
)
from podward.controllers.garbage.live import Failed, Live, Unmapped, Unresolvable
from podward.controllers.garbage.verdicts import Owners, judged
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

ACCOUNT = "generic-garbage-collector"
_COMPONENT = "garbage-collector-controller"
_VERBS = frozenset(("delete", "list", "watch"))
_IGNORED = frozenset((("", "events"), ("events.k8s.io", "events")))
_WORKERS = 20
_TRIES = 5
_NOT_FOUND, _CONFLICT, _UNSUPPORTED = 404, 409, 415


async def make(context: Context) -> GarbageCollector:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return GarbageCollector(context, client, context.recorder(client, _COMPONENT))


class GarbageCollector:
    """The graph of all objects, and those who act upon it."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._recorder = recorder
        self._informers = context.informers
        self._discovery = discovery_of(context.admin, context.informers)
        self._discovery.listeners.append(self._follow)
        self._live = Live(client, self._discovery)
        self._followed: dict[tuple[str, str, str], Informer] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._graph = Graph()
        self._deletions = WorkQueue("garbage collector", self._attempt_to_delete, _WORKERS)
        self._orphans = WorkQueue("garbage collector, orphans", self._attempt_to_orphan, _WORKERS)

    async def start(self) -> None:
        """Begin to work."""
        self._discovery.start()
        self._deletions.start()
        self._orphans.start()

    async def close(self) -> None:
        """Work no more."""
        await self._discovery.close()
        await self._deletions.close()
        await self._orphans.close()

    # --- the graph ---------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Follow what is served now, and no more what is not."""
        wanted = {
            (each.group, each.version, each.plural): each
            for each in self._discovery.served.preferred
            if set(each.verbs) >= _VERBS and (each.group, each.plural) not in _IGNORED
        }
        failed = {GroupVersion.parse(each) for each in self._discovery.served.failed}
        for key in [key for key in self._followed if key not in wanted and GroupVersion(*key[:2]) not in failed]:
            self._leave(self._followed.pop(key))
        for key, resource in wanted.items():
            if key not in self._followed:
                self._followed[key] = self._listen(resource)

    def _listen(self, resource: Resource) -> Informer:
        informer = self._informers.of(resource)

        def take(change: Change) -> None:
            self._take(resource, change)

        informer.listeners.append(take)
        for obj in informer.items():
            take(Change(None, obj))
        informer.start()
        return informer

    def _leave(self, informer: Informer) -> None:
        task = asyncio.create_task(self._informers.forget(informer))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _take(self, resource: Resource, change: Change) -> None:
        metadata = member(change.object, "metadata")
        identity = identity_of(resource.api_version, resource.kind, metadata)
        if change.new is None:
            self._note(self._graph.gone(identity))
            return
        before = None if change.old is None else member(change.old, "metadata")
        if before is not None and before.get("uid") != identity.uid:
            self._note(self._graph.gone(identity_of(resource.api_version, resource.kind, before)))
            before = None
        if before is not None and _is_same(before, metadata) and identity.uid in self._graph.nodes:
            return
        self._note(self._graph.seen(identity, metadata, before))

    def _note(self, effects: Effects) -> None:
        for uid in effects.delete:
            self._deletions.add(uid)
        for uid in effects.orphan:
            self._orphans.add(uid)
        for fault in effects.faults:
            of = fault.object
            about: JsonObject = {
                "apiVersion": of.api_version,
                "kind": of.kind,
                "metadata": {"namespace": of.namespace, "name": of.name, "uid": of.uid},
            }
            self._recorder.event(about, "Warning", "OwnerRefInvalidNamespace", fault.message)

    # --- deleting ----------------------------------------------------------------------------------------------------

    async def _attempt_to_delete(self, uid: str) -> Retry | None:
        node = self._graph.nodes.get(uid)
        if node is None or (node.deleting and not node.waiting):
            return None
        try:
            done = await self._delete_if_due(node)
        except Unresolvable:
            return None
        except (Unmapped, Failed):
            return Retry.LATER
        return Retry.LATER if done and node.virtual and self._graph.nodes.get(uid) is node else None

    async def _delete_if_due(self, node: Node) -> bool:
        """Do what is due. Whether there was anything under this identity."""
        identity = node.identity
        latest = await self._live.get(identity)
        if latest is None or member(latest, "metadata").get("uid") != identity.uid:
            self._note(self._graph.absent(identity))
            return False
        if node.waiting:
            await self._wait_for_dependents(node)
            return True
        references = objects(member(latest, "metadata"), "ownerReferences")
        if not references:
            return True
        owners = await self._classified(identity, references)
        dependents = self._graph.dependents(node)
        circular = any(each.waiting for each in dependents)
        verdict = judged(owners, latest, has_dependents=bool(dependents), circular=circular)
        if verdict.struck:
            await self._live.strike(identity, verdict.struck)
        if verdict.unblock:
            await self._live.unblock(node)
        if verdict.policy and not await self._live.delete(identity, latest, verdict.policy):
            self._note(self._graph.absent(identity))
            return False
        return True

    async def _wait_for_dependents(self, node: Node) -> None:
        blocking = self._graph.blocking(node)
        if not blocking:
            await self._live.remove_finalizer(node.identity, FOREGROUND)
        for each in blocking:
            if not each.waiting:
                self._deletions.add(each.identity.uid)

    async def _classified(self, identity: Identity, references: list[JsonObject]) -> Owners:
        found = Owners()
        for reference in references:
            owner = await self._owner(identity, reference)
            if owner is None:
                found.dangling.append(reference)
            elif is_waiting(member(owner, "metadata"), FOREGROUND):
                found.waiting.append(reference)
            else:
                found.solid.append(reference)
        return found

    async def _owner(self, identity: Identity, reference: JsonObject) -> JsonObject | None:
        """The owner that a reference of this object names; None where it is not there."""
        of_cluster, near = referenced(reference, ""), referenced(reference, identity.namespace)
        if self._graph.is_absent(of_cluster) or self._graph.is_absent(near):
            return None
        resource = await self._live.resource(near)
        owner = await self._live.get(near)
        if owner is None or member(owner, "metadata").get("uid") != near.uid:
            self._graph.note_absent(near if resource.namespaced else of_cluster)
            return None
        return owner

    # --- letting go --------------------------------------------------------------------------------------------------

    async def _attempt_to_orphan(self, uid: str) -> Retry | None:
        node = self._graph.nodes.get(uid)
        if node is None:
            return None
        try:
            await asyncio.gather(*(self._live.strike(each.identity, (uid,)) for each in self._graph.dependents(node)))
            await self._live.remove_finalizer(node.identity, ORPHAN)
        except (Unmapped, Unresolvable, Failed):
            return Retry.LATER
        return None


def _is_same(before: JsonObject, after: JsonObject) -> bool:
    """Whether nothing has changed that the graph knows of."""
    return (
        before.get("ownerReferences") == after.get("ownerReferences")
        and before.get("deletionTimestamp") == after.get("deletionTimestamp")
        and texts(before, "finalizers") == texts(after, "finalizers")
        and text(before, "uid") == text(after, "uid")
    )
