"""A finalizer that keeps what is in use: added to what lives, taken away once what is deleted is used no more.

Specification: Kubernetes, pkg/controller/util/protectionutil, and the three controllers that use it:
pkg/controller/volume/pvprotection (a volume that is Bound), pvcprotection (a claim that a Pod with a node uses, which
the server is asked for as well), vacprotection (a class that a claim or a volume names).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, Informer, key_of
from podward.client.work import Retry, WorkQueue
from podward.documents.raw_fields import member
from podward.schema.validation.raw import texts

IsUsed = Callable[[JsonObject], Awaitable[bool]]
_NOT_FOUND = 404


def finalizers(obj: JsonObject, own: str, *, used: bool) -> list[Json] | None:
    """The object's finalizers as they should be; None where they are so."""
    metadata = member(obj, "metadata")
    there = texts(metadata, "finalizers")
    if metadata.get("deletionTimestamp") is None:
        return None if own in there else [*there, own]
    return [each for each in there if each != own] if own in there and not used else None


class Protection:
    """Protects the objects of a resource until it is closed."""

    def __init__(self, name: str, client: Client, objects: Informer, finalizer: str, is_used: IsUsed) -> None:
        """`is_used` is asked of those that are to be deleted."""
        self._client = client
        self._objects = objects
        self._resource: Resource = objects.resource
        self._finalizer = finalizer
        self._is_used = is_used
        self._queue = WorkQueue(name, self._reconcile)
        objects.listeners.append(self._on_change)

    async def start(self) -> None:
        """Begin to protect."""
        self._queue.start()

    async def close(self) -> None:
        """Protect no more."""
        await self._queue.close()

    def look_at(self, namespace: str, name: str) -> None:
        """Something that may use it has changed."""
        found = self._objects.get(namespace, name)
        if found is not None and "deletionTimestamp" in member(found, "metadata"):
            self._queue.add(f"{namespace}/{name}")

    def _on_change(self, change: Change) -> None:
        if change.new is not None:
            self._queue.add("/".join(key_of(change.new)))

    async def _reconcile(self, key: str) -> Retry | None:
        namespace, _, name = key.partition("/")
        obj = self._objects.get(namespace, name)
        if obj is None:
            return None
        ending = "deletionTimestamp" in member(obj, "metadata")
        wanted = finalizers(obj, self._finalizer, used=ending and await self._is_used(obj))
        if wanted is None:
            return None
        changed: JsonObject = {**obj, "metadata": {**member(obj, "metadata"), "finalizers": wanted}}
        answer = await self._client.replace(self._resource, namespace, changed)
        return Retry.LATER if isinstance(answer, Status) and answer.code != _NOT_FOUND else None
