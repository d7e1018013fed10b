"""What follows CustomResourceDefinitions: their status, what is served because of them, and their end.

Specification: apiextensions-apiserver, the controllers that run inside the server (naming, establishing, finalizing)
and customresource_discovery_controller.go. One definition is looked at after the other; whoever was quicker with a
write is looked at again. A definition never serves anything in a group of the server's own: its objects would be kept
where the server's are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.errors import StoreError
from podward.schema.custom_objects.kind import CustomKind
from podward.schema.custom_objects.naming import FINALIZER, Condition, emptied, named, with_condition
from podward.schema.custom_resources import has_condition, served_by
from podward.schema.resources import BY_KIND, RESOURCES
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation.raw import texts
from podward.server.cache import Cache
from podward.server.deletion import DeleteOptions
from podward.server.encoding import decoded, stored_bytes
from podward.server.routes import scope_of
from podward.server.scope import Parts
from podward.server.verbs.delete import delete_unasked
from podward.server.verbs.writing import managed
from podward.store.interface import Event, Stored

DEFINITIONS = BY_KIND["apiextensions.k8s.io/v1", "CustomResourceDefinition"]
_OWN_GROUPS = frozenset(found.group for found in RESOURCES)
_MANAGER = "kube-apiserver"
_PAUSE = 1.0
_DELETING = Condition("Terminating", True, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
_log = logging.getLogger("podward.server")


class Definitions:
    """The definitions of a server."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._scope = scope_of(parts, DEFINITIONS)
        self._status = scope_of(parts, DEFINITIONS, "status")
        self._cache: Cache = self._scope.cache
        self._served: dict[str, tuple[JsonObject, tuple[Resource, ...]]] = {}
        self._read: dict[str, tuple[int, JsonObject]] = {}
        """What was decoded before, with its revision: every definition is looked at beside all others."""
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve what is defined, and follow it from then on."""
        await self._cache.start()
        # Before the first look: what that writes, and what other servers write meanwhile, is to be looked at again.
        self._cache.listeners.append(self._follow)
        for item in tuple(self._cache.items(self._cache.prefix)):
            await self._look(item.stored.key)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _follow(self, event: Event) -> None:
        self._changed.put_nowait(event.stored.key)

    async def _run(self) -> None:
        while True:
            key = await self._changed.get()
            try:
                await self._look(key)
            except StoreError as error:
                _log.warning("a definition of custom resources is looked at again: %s", error)
                await self._again(key)
            except Exception:  # noqa: BLE001 - the others go on
                _log.exception("a definition of custom resources cannot be served")

    async def _again(self, key: str) -> None:
        await asyncio.sleep(_PAUSE)
        self._changed.put_nowait(key)

    async def _look(self, key: str) -> None:
        """See to one definition."""
        item = self._cache.get(key)
        if item is None:
            self._serve(key, None)
            self._read.pop(key, None)
            self._look_at_others(key)
            return
        definition = self._definition(item.stored)
        self._serve(key, definition)
        metadata = member(definition, "metadata")
        if metadata.get("deletionTimestamp") is not None:
            if FINALIZER in texts(metadata, "finalizers"):
                await self._end(item.stored, definition)
            return
        others = [self._definition(each.stored) for each in self._cache.items(self._cache.prefix) if each is not item]
        made = named(definition, others, self._parts.clock.now())
        if made != definition:
            stored = await self._put(item.stored, managed(self._status, _MANAGER, definition, made))
            if stored:
                self._look_at_others(key)

    def _definition(self, stored: Stored) -> JsonObject:
        """A definition, decoded once."""
        found = self._read.get(stored.key)
        if found is None or found[0] != stored.revision:
            found = self._read[stored.key] = (stored.revision, decoded(stored))
        return found[1]

    def _look_at_others(self, key: str) -> None:
        """Names may be free now."""
        for each in self._cache.items(self._cache.prefix):
            other = self._definition(each.stored)
            if each.stored.key != key and not has_condition(other, "NamesAccepted"):
                self._changed.put_nowait(each.stored.key)

    def _serve(self, key: str, definition: JsonObject | None) -> None:
        """Have the catalog say what the definition says."""
        before, resources = self._served.get(key, (None, ()))
        if definition is not None and before is not None and _same_for_service(definition, before):
            return
        for resource in resources:
            self._parts.catalog.remove(resource)
        self._served.pop(key, None)
        if definition is None or member(definition, "spec").get("group") in _OWN_GROUPS:
            return
        found = tuple(each.resource for each in served_by(definition))
        for resource in found:
            self._parts.catalog.put(resource, CustomKind(definition, resource))
        self._served[key] = (definition, found)

    async def _end(self, current: Stored, definition: JsonObject) -> None:
        """Delete all objects; without any left, let the definition go."""
        left = await self._objects_left(definition)
        if left:
            made = with_condition(definition, _DELETING, self._parts.clock.now())
            if made != definition:
                await self._put(current, made)
            self._wait = asyncio.create_task(self._again(current.key))
            return
        made = emptied(definition)
        if texts(member(made, "metadata"), "finalizers"):
            await self._put(current, made)
        else:
            await self._parts.store.delete(current.key, current.revision)

    async def _objects_left(self, definition: JsonObject) -> int:
        """How many objects are not gone yet, after all were told to go."""
        _, resources = self._served.get(
            self._scope.key("", str(member(definition, "metadata").get("name"))), (None, ())
        )
        if not resources:
            return 0
        scope = scope_of(self._parts, resources[0])
        page = await self._parts.store.list(scope.prefix())
        left = 0
        for stored in page.items:
            namespace, _, name = stored.key.removeprefix(scope.prefix()).rpartition("/")
            gone = await delete_unasked(scope, namespace, name, DeleteOptions())
            left += not isinstance(gone, Status) and not gone[1]
            left += isinstance(gone, Status) and gone.code != 404
        return left + page.more

    async def _put(self, current: Stored, obj: JsonObject) -> bool:
        """Store a definition in the place of the one that was looked at, unless somebody was quicker."""
        value = stored_bytes(DEFINITIONS, with_metadata(obj, resourceVersion=None))
        return isinstance(await self._parts.store.update(current.key, value, current.revision), Stored)


def _same_for_service(one: JsonObject, other: JsonObject) -> bool:
    """Whether both definitions have the same served."""
    conditions = ("Established", "Terminating")
    return (
        one.get("spec") == other.get("spec")
        and member(one, "status").get("acceptedNames") == member(other, "status").get("acceptedNames")
        and all(has_condition(one, each) == has_condition(other, each) for each in conditions)
    )
