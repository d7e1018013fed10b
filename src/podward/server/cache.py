"""All objects of a resource in memory, as they are stored: what lists are served from, and what is looked up often.

A cache follows a watch of the store. Before it answers it waits until it has all that the store had when it was asked,
so that whoever writes and then lists sees what was written.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import cast

import msgspec
from msgspec import Struct

from podward.errors import RevisionError, StoreError
from podward.server import failures
from podward.store.interface import Event, Store, Stored, Watch

_PAUSE = 0.001
_RETRY = 0.5


class _Metadata(Struct):
    labels: Mapping[str, str] | None = None


class _Labelled(Struct):
    metadata: _Metadata


_labelled = msgspec.json.Decoder(_Labelled).decode
_NO_LABELS: Mapping[str, str] = {}


class Item:
    """One object. Its labels are read when they are first asked for."""

    __slots__ = ("_labels", "stored")

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self._labels: Mapping[str, str] | None = None

    @property
    def labels(self) -> Mapping[str, str]:
        """The object's labels."""
        if self._labels is None:
            self._labels = labels_of(self.stored.value)
        return self._labels


def labels_of(value: bytes) -> Mapping[str, str]:
    """The labels of a stored object."""
    if b'"labels":' not in value:
        return _NO_LABELS
    return _labelled(value.replace(b"\0", b"", 1)).metadata.labels or _NO_LABELS


Listener = Callable[[Event], None]


class Cache:
    """The objects whose keys begin with `prefix`. Listeners are told of every change, after it is in the cache."""

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self.prefix = prefix
        self._items: dict[str, Item] = {}
        self._keys: list[str] = []
        self._watch: Watch | None = None
        self._task: asyncio.Task[None] | None = None
        self._starting: asyncio.Lock = asyncio.Lock()
        self.listeners: list[Listener] = []

    async def start(self) -> None:
        """Read what is there, and follow it from then on."""
        async with self._starting:
            if self._task is None:
                await self._load()
                self._task = asyncio.create_task(self._follow())

    @property
    def started(self) -> bool:
        """Whether it has what is stored."""
        return self._task is not None

    async def fresh(self) -> int:
        """Wait until everything that the store has is here; returns the revision that the cache is at."""
        if self._task is None:
            await self.start()
        wanted = await self._store.revision()
        watch = self._following()
        while watch.revision < wanted:
            await asyncio.sleep(_PAUSE)
            watch = self._following()
        return watch.revision

    def get(self, key: str) -> Item | None:
        """The object under this key."""
        return self._items.get(key)

    def count(self, prefix: str, after: str = "") -> int:
        """How many keys begin so; with `after`, only those that are greater."""
        first, last = self._range(prefix, after)
        return last - first

    def items(self, prefix: str, after: str = "") -> Iterator[Item]:
        """The objects whose keys begin so, sorted; with `after`, only those with greater keys."""
        first, last = self._range(prefix, after)
        for key in self._keys[first:last]:
            yield self._items[key]

    async def close(self) -> None:
        """Follow no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._watch is not None:
            self._watch.close()

    def _following(self) -> Watch:
        return cast("Watch", self._watch)

    def _range(self, prefix: str, after: str) -> tuple[int, int]:
        first = bisect.bisect_right(self._keys, after) if after else bisect.bisect_left(self._keys, prefix)
        return first, bisect.bisect_left(self._keys, prefix[:-1] + chr(ord(prefix[-1]) + 1))

    async def _load(self) -> None:
        """Take what is there. Where something was known before, listeners are told of all that has changed since."""
        page = await self._store.list(self.prefix)
        there = {stored.key for stored in page.items}
        for key, item in tuple(self._items.items()):
            if key not in there:
                gone = Stored(key, item.stored.value, page.revision, item.stored.created)
                self._take(Event("DELETE", gone, item.stored.value))
        for stored in page.items:
            known = self._items.get(stored.key)
            if known is None or known.stored.revision != stored.revision:
                self._take(Event("PUT", stored, None if known is None else known.stored.value))
        if self._watch is not None:
            self._watch.close()
        self._watch = self._store.watch(self.prefix, page.revision)

    async def _follow(self) -> None:
        """Follow for ever. Whoever decides by this must not be left with what was true once."""
        behind = False
        while True:
            try:
                if behind:
                    await self._load()
                    behind = False
                await self._follow_on()
            except (StoreError, RevisionError):  # too slow, or the store failed for a moment: begin anew
                behind = True
                await asyncio.sleep(_RETRY)

    async def _follow_on(self) -> None:
        while events := await self._following().batch():
            for event in events:
                self._take(event)
        raise asyncio.CancelledError

    def _take(self, event: Event) -> None:
        key = event.stored.key
        if event.type == "DELETE":
            if self._items.pop(key, None) is not None:
                del self._keys[bisect.bisect_left(self._keys, key)]
        else:
            if key not in self._items:
                bisect.insort(self._keys, key)
            self._items[key] = Item(event.stored)
        for listener in self.listeners:
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - one who fails must not keep the next change from all
                failures.log(f"who follows {self.prefix}", error)


class Caches:
    """The caches of a server, one for each prefix that was asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._caches: dict[str, Cache] = {}

    def of(self, prefix: str) -> Cache:
        """The cache of the objects whose keys begin so."""
        found = self._caches.get(prefix)
        if found is None:
            found = self._caches[prefix] = Cache(self._store, prefix)
        return found

    def counts(self) -> Mapping[str, int]:
        """How many objects there are, by the prefix of their keys, as far as that is known."""
        return {prefix: cache.count(prefix) for prefix, cache in self._caches.items() if cache.started}

    async def close(self) -> None:
        """Follow no more."""
        for cache in self._caches.values():
            await cache.close()
