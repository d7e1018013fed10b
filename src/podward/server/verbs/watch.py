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
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.status import Status, encoded
from podward.errors import CompactedError
from podward.schema.apply.empty_objects import empty_object
from podward.server.cache import Item
from podward.server.encoding import decoded, json_bytes, served_bytes, stored_bytes
from podward.server.listing import Selection, matcher, selection
from podward.server.replies import event_object
from podward.server.request import Answer, Request, Stream
from podward.server.scope import Scope
from podward.store.interface import Event, Stored, Watch

_SHORTEST, _BOOKMARK = 1800.0, 60.0
PIECE = 64 << 10
"""So many bytes of events, and the rest of the last of them, are written at once."""
_SMALL = 32 << 10


async def handle(scope: Scope, request: Request) -> Answer:
    """Watch what the request selects."""
    chosen = selection(scope, request)
    if isinstance(chosen, Status):
        return chosen
    version = chosen.options.version
    if version and not version.isdecimal():
        syntax = f"strconv.ParseUint: parsing {quote(version)}: invalid syntax"
        return status.unexplained(f"resourceVersion: Invalid value: {quote(version)}: {syntax}")
    wants = chosen.options.send_initial
    initial = wants if wants is not None else version in {"", "0"}
    return Stream(_told(scope, request, chosen, initial=initial))


async def _told(scope: Scope, request: Request, chosen: Selection, *, initial: bool) -> AsyncGenerator[bytes, None]:
    """The events, as pieces of the answer."""
    form, options, store = Form(scope, request), chosen.options, scope.parts.store
    revision = int(options.version or 0)
    if initial:
        cache, matches = scope.cache, matcher(scope, chosen)
        if revision:
            await store.reach(revision)
        revision = await cache.fresh()
        found = [item.stored for item in cache.items(chosen.prefix) if matches is None or matches(item)]
        if (fault := await form.prepare(found)) is not None:
            yield fault
            return
        for piece in joined(_event("ADDED", form(stored)) for stored in found):
            yield piece
        if options.bookmarks:
            yield _bookmark(scope, revision, form, end=True)
    elif not revision:
        revision = await store.revision()
    watch = store.watch(chosen.prefix, revision)
    scope.parts.watches.add(watch)
    seconds = options.timeout or _SHORTEST * (1 + random.random())  # noqa: S311 - so that not all end at once
    timer = asyncio.get_running_loop().call_later(seconds, watch.close)
    try:
        async for piece in _changes(scope, chosen, watch, form):
            yield piece
    finally:
        timer.cancel()
        scope.parts.watches.discard(watch)
        watch.close()


async def _changes(scope: Scope, chosen: Selection, watch: Watch, form: Form) -> AsyncGenerator[bytes, None]:
    matches = matcher(scope, chosen)
    while True:
        try:
            async with asyncio.timeout(_BOOKMARK if chosen.options.bookmarks else None):
                events = await watch.batch()
        except TimeoutError:
            yield _bookmark(scope, watch.revision, form)
            continue
        except CompactedError as error:
            yield _event("ERROR", encoded(status.expired(str(error.what))))
            return
        if not events:
            return
        if (fault := await form.prepare(shown for event in events for shown in _both(event))) is not None:
            yield fault
            return
        for piece in joined(piece for event in events if (piece := _piece(event, matches, form)) is not None):
            yield piece


def joined(events: Iterable[bytes]) -> Iterator[bytes]:
    """The events, several at once, each made only when it is its turn: who never reads has a piece in memory."""
    group: list[bytes] = []
    size = 0
    for event in events:
        group.append(event)
        size += len(event)
        if size >= PIECE:
            yield b"".join(group)
            group, size = [], 0
    if group:
        yield b"".join(group)


def _piece(event: Event, matches: Callable[[Item], bool] | None, form: Form) -> bytes | None:
    """The event as who watches sees it; None where it is none of his business."""
    stored, previous = event.stored, event.previous
    if event.type == "DELETE":
        gone = matches is None or matches(Item(stored))
        return _event("DELETED", form(stored)) if gone else None
    if matches is None:
        return _event("ADDED" if previous is None else "MODIFIED", form(stored))
    now = matches(Item(stored))
    earlier = _earlier(event)
    before = earlier is not None and matches(Item(earlier))
    if now:
        return _event("MODIFIED" if before else "ADDED", form(stored))
    return _event("DELETED", form(earlier)) if before and earlier is not None else None


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
    return _event("BOOKMARK", form(Stored("", stored_bytes(resource, empty), revision, revision)))


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

    def __call__(self, stored: Stored) -> bytes:
        """The object as JSON."""
        if self._plain:
            return _shared(stored)
        served = self._prepared.get(stored)
        obj = self._scope.served(decoded(stored)) if served is None else served
        document = event_object(self._scope, self._request, obj, with_columns=self._first)
        self._first = False
        return json_bytes(document)


def _shared(stored: Stored) -> bytes:
    """The object with its version: made once for all who watch, where it is not so large that keeping it costs more."""
    return _kept(stored) if len(stored.value) <= _SMALL else served_bytes(stored)


@lru_cache(1024)
def _kept(stored: Stored) -> bytes:
    return served_bytes(stored)
