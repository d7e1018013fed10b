"""Events of `events.k8s.io`, as the scheduler tells them: what is told again is a series, whatever its note says.

Specification: Kubernetes, k8s.io/client-go, tools/events event_broadcaster.go: events are one series that have type,
action, reason, reporter, and what they are about at its very version in common. The second of them is written at once,
how many there are every half an hour, and six minutes after the last; then the series is forgotten.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import datetime as dt
import logging
import socket
import time

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import reference
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

_EVENTS = BY_PLURAL["events.k8s.io", "v1", "events"]
_FINISHED, _ROUNDS = 360.0, 5
"""Seconds of silence after which a series has ended, and after how many of these its count is written meanwhile."""
_MOST_REMEMBERED, _MOST_WAITING = 4096, 1000
_LONGEST, _CUT = 1024, " ..."
_NOT_FOUND = 404

_log = logging.getLogger("podward.client")


class _Series(Struct):
    """An event that was told, how often, and when for the last time."""

    made: JsonObject
    seen: float
    count: int = 1
    at: str = ""


class SeriesRecorder:
    """Tells events as one component."""

    def __init__(self, client: Client, component: str) -> None:
        """`client` is who tells them."""
        self._client = client
        self._component, self._instance = component, f"{component}-{socket.gethostname()}"
        self._told: collections.OrderedDict[tuple[str, ...], _Series] = collections.OrderedDict()
        self._waiting: collections.deque[_Series] = collections.deque(maxlen=_MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        self._rounds: asyncio.Task[None] | None = None

    def event(self, obj: JsonObject, told: tuple[str, str, str], note: str) -> None:
        """Tell of an object. `told`: Normal or Warning, the reason, what was being done."""
        about = reference(obj)
        key = (*told, *(str(about.get(name, "")) for name in ("kind", "apiVersion", "uid", "resourceVersion")))
        series, at = self._told.get(key), _moment()
        if series is not None:
            series.count, series.seen, series.at = series.count + 1, time.monotonic(), at
            if series.count == 2:
                self._write_soon(_Series(series.made, series.seen, 2, at))
            return
        series = _Series(self._made(about, told, note, at), time.monotonic())
        self._told[key] = series
        if len(self._told) > _MOST_REMEMBERED:
            self._told.popitem(last=False)
        self._write_soon(_Series(series.made, series.seen))

    async def close(self, seconds: float = 1.0) -> None:
        """Tell what waits, for so long at most."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._task), seconds)
        for task in (self._task, self._rounds):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _made(self, about: JsonObject, told: tuple[str, str, str], note: str, at: str) -> JsonObject:
        kind, reason, action = told
        name, namespace = f"{about.get('name', '')}.{time.time_ns():x}", str(about.get("namespace") or "default")
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "eventTime": at,
            "reportingController": self._component,
            "reportingInstance": self._instance,
            "action": action,
            "reason": reason,
            "regarding": about,
            "note": note if len(note) <= _LONGEST else note[: _LONGEST - len(_CUT)] + _CUT,
            "type": kind,
        }

    def _write_soon(self, series: _Series) -> None:
        self._waiting.append(series)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())
        if self._rounds is None:
            self._rounds = asyncio.create_task(self._look_after_series())

    async def _write_all(self) -> None:
        while self._waiting:
            series = self._waiting.popleft()
            try:
                await self._write(series)
            except Exception:  # noqa: BLE001 - what goes wrong with one must not silence the others
                _log.exception("an event could not be told")

    async def _write(self, series: _Series) -> None:
        metadata = member(series.made, "metadata")
        namespace, name = str(metadata["namespace"]), str(metadata["name"])
        if series.count == 1:
            answer = await self._client.create(_EVENTS, namespace, series.made)
        else:
            seen: JsonObject = {"series": {"count": series.count, "lastObservedTime": series.at}}
            answer = await self._client.patch(_EVENTS, namespace, name, seen)
            if isinstance(answer, Status) and answer.code == _NOT_FOUND:
                answer = await self._client.create(_EVENTS, namespace, {**series.made, **seen})
        if isinstance(answer, Status):
            _log.debug("an event is refused: %s", answer.message)

    async def _look_after_series(self) -> None:
        """Write how often what goes on was told, and forget what has ended."""
        rounds = 0
        while True:
            await asyncio.sleep(_FINISHED)
            rounds += 1
            for key, series in list(self._told.items()):
                over = time.monotonic() - series.seen >= _FINISHED
                if series.count > 1 and (over or rounds % _ROUNDS == 0):
                    self._write_soon(_Series(series.made, series.seen, series.count, series.at))
                if over:
                    del self._told[key]


def _moment() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
