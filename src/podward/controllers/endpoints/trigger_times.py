"""When that happened which changed the endpoints of a Service: it is written beside them, to measure how late they are.

Specification: Kubernetes, k8s.io/endpointslice, util/trigger_time_tracker.go: of what is new since the last look the
earliest; of a Service that was not known, its own beginning. Times are the API's own texts, which order as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.controllers.endpoints.pods import ready_condition
from podward.documents.raw_fields import member
from podward.schema.validation.raw import text


class _Seen(Struct, frozen=True):
    service: str
    pods: dict[str, str]


class TriggerTimes:
    """What was seen of each Service."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def moment(self, key: str, service: JsonObject, pods: Iterable[JsonObject]) -> str:
        """The time of what changed since the last look; empty where nothing did."""
        before = self._seen.get(key)
        began = text(member(service, "metadata"), "creationTimestamp")
        times = {
            text(member(pod, "metadata"), "name"): text(ready_condition(pod), "lastTransitionTime") for pod in pods
        }
        now = _Seen(began, {name: time for name, time in times.items() if time})
        self._seen[key] = now
        if before is None:
            return began
        changed = [time for name, time in now.pods.items() if time > before.pods.get(name, "")]
        if began > before.service:
            changed.append(began)
        return min(changed, default="")

    def forget(self, key: str) -> None:
        """Forget a Service that is gone."""
        self._seen.pop(key, None)
