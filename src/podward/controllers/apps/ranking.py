"""Which Pods go first where there are too many.

Specification: Kubernetes, ActivePodsWithRanks of pkg/controller/controller_utils.go. In this order: without a node;
pending before unknown before running; not ready; the lower deletion cost; the more Pods of related owners on the same
node; ready for a shorter time; more restarts; the younger. Times are compared by the logarithm of how long ago they
are, and the uid decides between equals: so that not always the youngest go.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import cmp_to_key
from typing import TYPE_CHECKING

from podward.controllers.apps.ownership import annotations_of, uid_of
from podward.controllers.apps.pods import created_at, is_active, is_ready, node_of, phase_of, ready_since
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podward.api.json_value import JsonObject

COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_NANOSECONDS = 1_000_000_000
_LARGEST, _NUMBER = (1 << 31) - 1, re.compile(r"0|-?[1-9][0-9]{0,9}")


def surplus(pods: Sequence[JsonObject], related: Iterable[JsonObject], count: int, now: float) -> list[JsonObject]:
    """The `count` Pods that go. `related`: those of all owners that have the same owner as this one."""
    if count >= len(pods):
        return list(pods)
    crowd = Counter(node_of(pod) for pod in related if is_active(pod))

    def compared(one: JsonObject, other: JsonObject) -> int:
        return _by_state(one, other, crowd) or _by_age(one, other, now)

    return sorted(pods, key=cmp_to_key(compared))[:count]


def _by_state(one: JsonObject, other: JsonObject, crowd: Counter[str]) -> int:
    return _order(_state(one, crowd), _state(other, crowd))


def _state(pod: JsonObject, crowd: Counter[str]) -> tuple[int, ...]:
    node = node_of(pod)
    return (bool(node), _PHASES.get(phase_of(pod), 0), is_ready(pod), _cost(pod), -crowd[node])


def _cost(pod: JsonObject) -> int:
    written = annotations_of(pod).get(COST)
    cost = int(written) if isinstance(written, str) and _NUMBER.fullmatch(written) else 0
    return cost if -_LARGEST - 1 <= cost <= _LARGEST else 0


def _by_age(one: JsonObject, other: JsonObject, now: float) -> int:
    if is_ready(one) and is_ready(other):
        found = _later_first(ready_since(one), ready_since(other), one, other, now)
        if found:
            return found
    restarts = _order(_restarts(other), _restarts(one))
    return restarts or _later_first(created_at(one) or None, created_at(other) or None, one, other, now)


def _later_first(first: float | None, second: float | None, one: JsonObject, other: JsonObject, now: float) -> int:
    """The later moment first, and before it one that is unknown."""
    if first == second:
        return 0
    if first is None or second is None:
        return -1 if first is None else 1
    return _order((_magnitude(now - first),), (_magnitude(now - second),)) or (-1 if uid_of(one) < uid_of(other) else 1)


def _magnitude(ago: float) -> int:
    return int(math.log2(ago * _NANOSECONDS)) if ago > 0 else -1


def _restarts(pod: JsonObject) -> tuple[int, int]:
    """The most restarts of an ordinary container, and of a sidecar."""
    state = member(pod, "status")
    sidecars = {
        text(each, "name")
        for each in objects(member(pod, "spec"), "initContainers")
        if each.get("restartPolicy") == "Always"
    }
    ordinary = max((number(each, "restartCount") for each in objects(state, "containerStatuses")), default=0)
    found = (each for each in objects(state, "initContainerStatuses") if text(each, "name") in sidecars)
    return ordinary, max((number(each, "restartCount") for each in found), default=0)


def _order(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return (one > other) - (one < other)
