"""Events, as Kubernetes' components tell them: the same thing said again raises a count, and nobody floods.

Specification: Kubernetes, k8s.io/client-go, tools/record events_cache.go: what is equal is counted by a patch; from the
tenth on, different messages of one reason within ten minutes are combined, and who reports is left out; of each source
about an object 25 events may come at once, and one more every five minutes. Events are written one after the other, in
the order in which they are told; what is refused is told to the log and dropped.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import time
from typing import TypeVar

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

_EVENTS = BY_PLURAL["", "v1", "events"]
_SIMILAR, _WINDOW = 10, 600.0
_BURST, _REFILL = 25, 300.0
_MOST_REMEMBERED = 4096
_MOST_WAITING = 1000
_TRIES = 3
_NOT_FOUND = 404

_log = logging.getLogger("podward.client")

About = tuple[str, ...]
Value = TypeVar("Value")


class Told(Struct):
    """An event that was told: its name, and how often."""

    name: str
    namespace: str
    count: int
    first: str


class _Similar(Struct):
    messages: dict[str, None]
    last: float


class _Bucket(Struct):
    left: float
    at: float


class Recorder:
    """Tells events as one component."""

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        """`host` is the node that the component is of, if it is of one."""
        self._client = client
        self._source: JsonObject = {"component": component, **({"host": host} if host else {})}
        self._component = component
        self._told: collections.OrderedDict[About, Told] = collections.OrderedDict()
        self._similar: collections.OrderedDict[About, _Similar] = collections.OrderedDict()
        self._buckets: collections.OrderedDict[About, _Bucket] = collections.OrderedDict()
        self._waiting: collections.deque[tuple[JsonObject, str, str, str, str]] = collections.deque(
            maxlen=_MOST_WAITING
        )
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def event(self, obj: JsonObject, kind: str, reason: str, message: str, field: str = "") -> None:
        """Tell of an object. `kind` is Normal or Warning; `field` the path of the part that it is about."""
        self._waiting.append((reference(obj, field), kind, reason, message, _moment(time.time())))
        self._idle.clear()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell_all())

    async def close(self, seconds: float = 1.0) -> None:
        """Tell what waits, for so long at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _tell_all(self) -> None:
        while self._waiting:
            about, kind, reason, message, moment = self._waiting.popleft()
            try:
                await self._tell(about, kind, reason, message, moment)
            except Exception:  # noqa: BLE001 - what goes wrong with one must not silence the others
                _log.exception("an event could not be told")
        self._idle.set()

    async def _tell(self, about: JsonObject, kind: str, reason: str, message: str, moment: str) -> None:
        place = tuple(str(about.get(name, "")) for name in ("kind", "namespace", "name", "uid", "apiVersion"))
        if not self._may(place):
            return
        field = str(about.get("fieldPath", ""))
        alike, key = (*place, kind, reason), (*place, field, kind, reason, message)
        combined = self._is_one_of_many((*alike, field), message)
        if combined:
            key = (*alike, field)
            message = f"(combined from similar events): {message}"
        told = _remembered(self._told, key)
        if told is not None:
            told.count += 1
            change: JsonObject = {"count": told.count, "lastTimestamp": moment, "message": message}
            answer = await self._client.patch(_EVENTS, told.namespace, told.name, change)
            if not (isinstance(answer, Status) and answer.code == _NOT_FOUND):
                return
        made = self._made(about, kind, reason, message, moment)
        if combined:
            made["reportingComponent"] = ""
        if await self._write(made):
            metadata = member(made, "metadata")
            _remember(self._told, key, Told(str(metadata["name"]), str(metadata["namespace"]), 1, moment))

    def _made(self, about: JsonObject, kind: str, reason: str, message: str, moment: str) -> JsonObject:
        namespace = str(about.get("namespace") or "default")
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{about.get('name', '')}.{time.time_ns():x}", "namespace": namespace},
            "involvedObject": about,
            "reason": reason,
            "message": message[:1024],
            "type": kind,
            "source": self._source,
            "reportingComponent": self._component,
            "reportingInstance": self._source.get("host", ""),
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }

    async def _write(self, made: JsonObject) -> bool:
        for attempt in range(_TRIES):
            answer = await self._client.create(_EVENTS, str(member(made, "metadata")["namespace"]), made)
            if not isinstance(answer, Status):
                return True
            if answer.code not in {429, 500, 503, 504}:
                _log.debug("an event is refused: %s", answer.message)
                return False
            await asyncio.sleep(0.2 * 4**attempt)
        return False

    def _may(self, place: About) -> bool:
        """Whether the object has an event left."""
        now = time.monotonic()
        bucket = _remembered(self._buckets, place)
        if bucket is None:
            bucket = _Bucket(_BURST, now)
            _remember(self._buckets, place, bucket)
        bucket.left = min(_BURST, bucket.left + (now - bucket.at) / _REFILL)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    def _is_one_of_many(self, alike: About, message: str) -> bool:
        now = time.monotonic()
        similar = _remembered(self._similar, alike)
        if similar is None or now - similar.last > _WINDOW:
            similar = _Similar({}, now)
            _remember(self._similar, alike, similar)
        similar.last = now
        similar.messages[message] = None
        if len(similar.messages) < _SIMILAR:
            return False
        similar.messages.pop(next(iter(similar.messages)))
        return True


def reference(obj: JsonObject, field: str = "") -> JsonObject:
    """A reference to an object, as events have it."""
    metadata = member(obj, "metadata")
    found: JsonObject = {"kind": obj.get("kind", ""), "apiVersion": obj.get("apiVersion", "")}
    for name in ("namespace", "name", "uid", "resourceVersion"):
        if metadata.get(name):
            found[name] = metadata[name]
    if field:
        found["fieldPath"] = field
    return found


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _remembered(of: collections.OrderedDict[About, Value], key: About) -> Value | None:
    found = of.get(key)
    if found is not None:
        of.move_to_end(key)
    return found


def _remember(of: collections.OrderedDict[About, Value], key: About, value: Value) -> None:
    of[key] = value
    of.move_to_end(key)
    if len(of) > _MOST_REMEMBERED:
        of.popitem(last=False)
