"""The objects of a resource in memory, followed by a watch; who listens is told of every change.

Specification: Kubernetes, k8s.io/client-go, tools/cache: list, then watch from the list's revision; bookmarks move it
on; where it is too old (410), list again, and tell of what differs. A server that is not there is asked again, a little
later each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member, objects

_FIRST, _MOST = 0.2, 10.0
"""Seconds until a server that failed is asked again: at first, and at most."""
_WATCH_SECONDS = 300
_GONE = 410

_log = logging.getLogger("podward.client")

Key = tuple[str, str]
"""An object's namespace, empty for one of the cluster, and its name."""


class Change(Struct, frozen=True, gc=False):
    """What was, and what is; None where there was, or is, nothing."""

    old: JsonObject | None
    new: JsonObject | None

    @property
    def object(self) -> JsonObject:
        """The object as it is, or as it was last."""
        found = self.new if self.new is not None else self.old
        if found is None:
            raise ValueError("a change of nothing")
        return found


Listener = Callable[[Change], None]


class Informer:
    """The objects of a resource that a selection allows. They are the documents themselves: nobody may change them."""

    def __init__(self, client: Client, resource: Resource, namespace: str, labels: str, fields: str) -> None:
        """`Informers.of` makes one."""
        self._client = client
        self.resource = resource
        self._selection = (namespace, labels, fields)
        self._objects: dict[Key, JsonObject] = {}
        self._by_namespace: dict[str, dict[str, JsonObject]] = {}
        self._revision = ""
        self._task: asyncio.Task[None] | None = None
        self._synced = asyncio.Event()
        self.listeners: list[Listener] = []

    def start(self) -> None:
        """Begin to follow."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())

    async def synced(self) -> None:
        """Wait until everything is here that there was."""
        await self._synced.wait()

    def get(self, namespace: str, name: str) -> JsonObject | None:
        """An object."""
        return self._objects.get((namespace, name))

    def items(self, namespace: str = "") -> Iterable[JsonObject]:
        """All objects, or those of a namespace."""
        return list((self._by_namespace.get(namespace, {}) if namespace else self._objects).values())

    def __len__(self) -> int:
        return len(self._objects)

    async def close(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    # --- following ---------------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        pause = _FIRST
        while True:
            try:
                refused = await (self._watch() if self._revision else self._list())
            except Exception:  # noqa: BLE001 - what a listener does wrong must not end the news for all others
                _log.exception("%s cannot be followed", self.resource.plural)
                self._revision, refused = "", Status(500)
            if refused is None:
                pause = _FIRST
                continue
            if refused.code == _GONE:
                self._revision, pause = "", _FIRST
                continue
            if refused.code not in {0, 503}:
                _log.warning("%s cannot be followed: %s", self.resource.qualified, refused.message)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(pause * 2, _MOST)

    async def _list(self) -> Status | None:
        namespace, labels, fields = self._selection
        answer = await self._client.list(self.resource, namespace, labels, fields)
        if isinstance(answer, Status):
            return answer
        found = {key_of(obj): obj for obj in objects(answer, "items")}
        kind, version = self.resource.kind, self.resource.api_version
        for obj in found.values():
            obj.setdefault("apiVersion", version)
            obj.setdefault("kind", kind)
        for key in [key for key in self._objects if key not in found]:
            self._take(key, None)
        for key, obj in found.items():
            old = self._objects.get(key)
            if old is None or member(old, "metadata") != member(obj, "metadata") or old != obj:
                self._take(key, obj)
        revision = member(answer, "metadata").get("resourceVersion")
        self._revision = revision if isinstance(revision, str) else ""
        self._synced.set()
        return None if self._revision else Status(503, message="a list without a revision")

    async def _watch(self) -> Status | None:
        namespace, labels, fields = self._selection
        seconds = str(random.randint(_WATCH_SECONDS, 2 * _WATCH_SECONDS))  # noqa: S311 - no secret
        events = self._client.watch(
            self.resource, namespace, labels, fields, resourceVersion=self._revision, timeoutSeconds=seconds
        )
        async with contextlib.aclosing(events):  # type: ignore[type-var]  # a generator behind its interface
            async for event in events:
                if isinstance(event, Status):
                    return event
                what, obj = event
                if what != "BOOKMARK":
                    self._take(key_of(obj), None if what == "DELETED" else obj, obj)
                revision = member(obj, "metadata").get("resourceVersion")
                self._revision = revision if isinstance(revision, str) else ""
        return None

    def _take(self, key: Key, new: JsonObject | None, last: JsonObject | None = None) -> None:
        """Note what an object is now; of one that is gone, `last` is what it was in the end."""
        old = self._objects.get(key)
        namespace, name = key
        if new is not None:
            self._objects[key] = new
            self._by_namespace.setdefault(namespace, {})[name] = new
        elif old is not None:
            del self._objects[key]
            of = self._by_namespace[namespace]
            del of[name]
            if not of:
                del self._by_namespace[namespace]
        if old is None and new is None:
            return
        change = Change(old if new is not None or last is None else last, new)
        for listener in self.listeners:
            listener(change)


class Informers:
    """The informers of a process: who asks for the same selection gets the same one."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._every: dict[tuple[str, str, str, str, str], Informer] = {}

    def of(self, resource: Resource, namespace: str = "", labels: str = "", fields: str = "") -> Informer:
        """The informer of a selection; `start` starts it."""
        key = (resource.api_version, resource.plural, namespace, labels, fields)
        if key not in self._every:
            self._every[key] = Informer(self._client, resource, namespace, labels, fields)
        return self._every[key]

    async def start(self) -> None:
        """Start those that do not run, and wait until all have what there is."""
        every = list(self._every.values())
        for informer in every:
            informer.start()
        for informer in every:
            await informer.synced()

    async def forget(self, informer: Informer) -> None:
        """End an informer that nobody needs any more."""
        for key in [key for key, each in self._every.items() if each is informer]:
            del self._every[key]
        await informer.close()

    async def close(self) -> None:
        """End all."""
        await asyncio.gather(*(informer.close() for informer in self._every.values()))


def key_of(obj: JsonObject) -> Key:
    """The namespace and the name of an object."""
    metadata = member(obj, "metadata")
    namespace, name = metadata.get("namespace"), metadata.get("name")
    return namespace if isinstance(namespace, str) else "", name if isinstance(name, str) else ""
