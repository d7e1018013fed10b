"""EventRateLimit: so many Events a second, of the server, a namespace, a user, or a source and what it is about.

Specification: Kubernetes, plugin/pkg/admission/eventratelimit: buckets that fill up with time. Of those that are not
the server's only so many are remembered, and the one that was not asked for longest is forgotten first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from podward.api.admission import AdmissionRequest, Operation
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text
from podward.stages.admission.settings import EventLimit

NAME = "EventRateLimit"
_WRITES = frozenset((Operation.CREATE, Operation.UPDATE))
_ABOUT = ("kind", "namespace", "name", "uid", "apiVersion")


class _Limit:
    """The buckets of one limit: how full each was, and when."""

    def __init__(self, limit: EventLimit, now: Callable[[], float]) -> None:
        self.limit = limit
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Take one from a bucket, if there is one in it."""
        now = self._now()
        full, since = self._buckets.pop(key, (float(self.limit.at_once), now))
        full = min(float(self.limit.at_once), full + (now - since) * self.limit.each_second)
        taken = full >= 1
        self._buckets[key] = (full - 1 if taken else full, now)
        while len(self._buckets) > self.limit.remembered:
            self._buckets.popitem(last=False)
        return taken


class EventLimits:
    """The plugin."""

    def __init__(self, limits: Sequence[EventLimit], now: Callable[[], float] = time.monotonic) -> None:
        self._limits = [_Limit(limit, now) for limit in limits]

    def refused(self, asked: AdmissionRequest) -> Status | None:
        """Why there are too many Events; nothing about any other object, or a dry run."""
        if not self._limits or asked.dry_run or asked.kind != "Event" or asked.operation not in _WRITES:
            return None
        if asked.resource.resource != "events" or asked.object is None:
            return None
        keys = [(each, _KEYS[each.limit.of](asked, asked.object)) for each in self._limits]
        reached = [f"limit reached on type {each.limit.of} for key {key}" for each, key in keys if not each.take(key)]
        if not reached:
            return None
        why = reached[0] if len(reached) == 1 else f"[{', '.join(reached)}]"
        return Status(429, "TooManyRequests", f"Too many requests: {why}")


def _about(_asked: AdmissionRequest, event: JsonObject) -> str:
    source = member(event, "source") or member(event, "deprecatedSource")
    of = member(event, "involvedObject") or member(event, "regarding")
    return text(source, "component") + text(source, "host") + "".join(text(of, name) for name in _ABOUT)


_KEYS: dict[str, Callable[[AdmissionRequest, JsonObject], str]] = {
    "Server": lambda _asked, _event: "",
    "Namespace": lambda asked, _event: asked.namespace,
    "User": lambda asked, _event: asked.user.username,
    "SourceAndObject": _about,
}
