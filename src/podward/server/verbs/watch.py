"""GET with `watch`: what is there, if that is wanted, and every change from then on.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/watch.go and pkg/storage/cacher. Who comes to be
selected is ADDED, one that is no longer is DELETED. The form of an event is made once for all who watch.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from functools import lru_cache

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status, encoded
from podward.errors import CompactedError, FutureRevisionError
from podward.schema.apply.empty_objects import empty_object
from podward.server.cache import Item
from podward.server.encoding import decoded, json_bytes, served_bytes, served_parts, stored_bytes
from podward.server.listing import Selection, matcher, reader, revision_of, selection, too_large_version
from podward.server.replies import event_object
from podward.server.request import Answer, Request, Stream
from podward.server.scope import Scope
from podward.store.interface import Event, Stored, Watch

_SHORTEST, _LONGEST, _BOOKMARK = 1800.0, 1e6, 60.0
_LATE = status.Status(500, "InternalError", "context deadline exceeded")
PIECE = 64 << 10
"""So many bytes of events, and the rest of the last of them, are written at once."""
_SMALL = 32 << 10


async def handle(scope: Scope, request: Request) -> Answer:
    """Watch what the request selects."""
    chosen = selection(scope, request)
    if isinstance(chosen, Status):
        return chosen
    version = chosen.options.version
    if isinstance(fault := revision_of(version), str):
        return status.unexplained(fault)
    wants = chosen.options.send_initial
    initial = wants if wants is not None else version in {"", "0"}
    return Stream(_told(scope, request, chosen, initial=initial))


async def _told(scope: Scope, request: Request, chosen: Selection, *, initial: bool) -> AsyncGenerator[bytes, None]:
    """The events, as pieces of the answer."""
    form, options, store = Form(scope, request), chosen.options, scope.parts.store
    revision = int(options.version or 0)
    if options.timeout is not None and options.timeout < 0:
        yield _event("ERROR", encoded(_LATE))
        return
    if initial:
        cache = scope.cache
        try:
            await store.reach(revision)
        except FutureRevisionError:
            yield _event("ERROR", encoded(await too_large_version(scope, revision)))
            return
        revision = await cache.fresh()
        read = await reader(scope, chosen, (item.stored for item in cache.items(chosen.prefix)))
        if isinstance(read, Status):
            yield _event("ERROR", encoded(read))
            return
        matches = matcher(scope, chosen, read)
        found = [item.stored for item in cache.items(chosen.prefix) if matches is None or matches(item)]
        if (fault := await form.prepare(found)) is not None:
            yield fault
            return
        for piece in joined(part for stored in found for part in form("ADDED", stored)):
            yield piece
        if options.bookmarks:
            yield _bookmark(scope, revision, form, end=True)
    elif not revision:
        revision = await store.revision()
    watch = store.watch(chosen.prefix, revision)
    scope.parts.watches.add(watch)
    seconds = min(options.timeout or _SHORTEST * (1 + random.random()), _LONGEST)  # noqa: S311 - not all at once
    timer = asyncio.get_running_loop().call_later(seconds, watch.close)
    try:
        async for piece in _changes(scope, chosen, watch, form):
            yield piece
    finally:
        timer.cancel()
        scope.parts.watches.discard(watch)
        watch.close()


async def _changes(scope: Scope, chosen: Selection, watch: Watch, form: Form) -> AsyncGenerator[bytes, None]:
    matches = matcher(scope, chosen, form.read)
    while True:
        try:
            async with asyncio.timeout(_BOOKMARK if chosen.options.bookmarks else None):
                events = await watch.batch()
        except TimeoutError:
            yield _bookmark(scope, watch.revision, form)
            continue
        except CompactedError as error:
            yield _event("ERROR", encoded(too_old(error)))
            return
        if not events:
            return
        if (fault := await form.prepare(shown for event in events for shown in _both(event))) is not None:
            yield fault
            return
        for piece in joined(part for event in events for part in _parts(event, matches, form)):
            yield piece


def too_old(error: CompactedError) -> Status:
    """What is said of a revision from which nobody can watch any more, in the words of the real server's cache."""
    return status.expired(f"too old resource version: {error.revision} ({max(error.oldest - 1, error.revision)})")


def joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Parts of events, several at once, each made when it is its turn: who never reads has a piece in memory."""
    group: list[bytes] = []
    size = 0
    for part in parts:
        group.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(group)
            group, size = [], 0
    if group:
        yield b"".join(group)


def _parts(event: Event, matches: Callable[[Item], bool] | None, form: Form) -> Iterable[bytes]:
    """The event as who watches sees it; nothing where it is none of his business."""
    stored, previous = event.stored, event.previous
    if event.type == "DELETE":
        gone = matches is None or matches(Item(stored))
        return form("DELETED", stored) if gone else ()
    if matches is None:
        return form("ADDED" if previous is None else "MODIFIED", stored)
    now = matches(Item(stored))
    earlier = _earlier(event)
    before = earlier is not None and matches(Item(earlier))
    if now:
        return form("MODIFIED" if before else "ADDED", stored)
    return form("DELETED", earlier) if before and earlier is not None else ()


def _earlier(event: Event) -> Stored | None:
    """What was there before, as of the event."""
    stored, previous = event.stored, event.previous
    return Stored(stored.key, previous, stored.revision, stored.created) if previous is not None else None


def _both(event: Event) -> Iterator[Stored]:
    """What of an event may be shown."""
    yield event.stored
    earlier = _earlier(event)
    if earlier is not None:
        yield earlier


def _event(of: str, obj: bytes) -> bytes:
    return b'{"type":"' + of.encode() + b'","object":' + obj + b"}\n"


def _bookmark(scope: Scope, revision: int, form: Form, *, end: bool = False) -> bytes:
    """How far the reader has been told: an object of the kind in which nothing is set but its version."""
    resource = scope.storage
    annotations: JsonObject = {"annotations": {"k8s.io/initial-events-end": "true"}} if end else {}
    empty = {**empty_object(resource.api_version, resource.kind), "metadata": annotations}
    return b"".join(form("BOOKMARK", Stored("", stored_bytes(resource, empty), revision, revision)))


class Form:
    """How objects stand in the events of one watch. Those that a webhook converts are prepared before."""

    def __init__(self, scope: Scope, request: Request) -> None:
        self._scope = scope
        self._request = request
        self._plain = not request.accepted.as_kind and not scope.converts
        self._first = True
        self._prepared: dict[Stored, JsonObject] = {}

    async def prepare(self, found: Iterable[Stored]) -> bytes | None:
        """Convert what is shown next; the last event of the watch where that fails."""
        if not self._scope.by_webhook:
            return None
        wanted = list(dict.fromkeys(found))
        read = await self._scope.read_all([decoded(stored) for stored in wanted])
        if isinstance(read, Status):
            return _event("ERROR", encoded(read))
        self._prepared = dict(zip(wanted, read, strict=True))
        return None

    def read(self, stored: Stored) -> JsonObject:
        """The object in the version that is asked for: of those that a webhook converts, one that is prepared."""
        found = self._prepared.get(stored)
        return decoded(stored) if found is None else found

    def __call__(self, of: str, stored: Stored) -> Iterable[bytes]:
        """The event of a type about an object, in parts that are made when it is their turn."""
        if self._plain:
            return _shared(of, stored)
        served = self._prepared.get(stored)
        obj = self._scope.served(decoded(stored)) if served is None else served
        document = event_object(self._scope, self._request, obj, with_columns=self._first)
        self._first = False
        return (_event(of, json_bytes(document)),)


def _shared(of: str, stored: Stored) -> Iterable[bytes]:
    """A small event is made once for all who watch; a large one is cut out of the value that they all share."""
    return _small(of, stored) if len(stored.value) <= _SMALL else _cut(of, stored)


@lru_cache(1024)
def _small(of: str, stored: Stored) -> tuple[bytes]:
    return (_event(of, served_bytes(stored)),)


def _cut(of: str, stored: Stored) -> Iterator[bytes]:
    before, after = _event(of, b"\0").split(b"\0")
    yield before
    yield from served_parts(stored, PIECE)
    yield after
