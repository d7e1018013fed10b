"""The row of a Pod: what `kubectl get pods` shows.

Specification: Kubernetes, pkg/printers/internalversion printPod. STATUS is the phase, or the reason of the Pod, of an
init container that is not done, or of the container that comes first among those that wait or have ended. A sidecar
(an init container that restarts always) counts as a container. Restarts before the Pod was initialized are those of
init containers; afterwards those of containers and sidecars.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.server.tables.columns import AGE, NAME, Column, Printer, wide
from podward.server.tables.texts import (
    NONE,
    age_of,
    condition,
    name_of,
    number_of,
    objects_of,
    seconds,
    since,
    text_of,
)

_ENDED = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


class _Counts(Struct):
    """What is counted while the containers are looked at; `latest` is when the last one ended before a restart."""

    ready: int = 0
    restarts: int = 0
    latest: str = ""

    def restarted(self, status: JsonObject) -> None:
        self.restarts += number_of(status, "restartCount")
        ended = text_of(member(member(status, "lastState"), "terminated"), "finishedAt")
        if ended and (not self.latest or seconds(ended) > seconds(self.latest)):
            self.latest = ended


def row_conditions(raw: JsonObject) -> list[Json]:
    """The conditions of the row: a Pod that has ended is `Completed`, and clients may leave it out."""
    ended = _ENDED.get(text_of(member(raw, "status"), "phase"))
    if ended is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": ended[0], "message": ended[1]}]


def cells(raw: JsonObject, now: float) -> list[Json]:
    """The cells of a Pod."""
    spec, status = member(raw, "spec"), member(raw, "status")
    sidecars = frozenset(
        text_of(each, "name") for each in objects_of(spec, "initContainers") if each.get("restartPolicy") == "Always"
    )
    total = len(objects_of(spec, "containers")) + len(sidecars)
    reason, counts = _state(raw, sidecars)
    restarts = str(counts.restarts)
    if counts.restarts and counts.latest:
        restarts = f"{counts.restarts} ({since(counts.latest, now)} ago)"
    addresses = objects_of(status, "podIPs")
    return [
        name_of(raw),
        f"{counts.ready}/{total}",
        reason,
        restarts,
        age_of(raw, now),
        text_of(addresses[0], "ip", NONE) if addresses else NONE,
        text_of(spec, "nodeName", NONE),
        text_of(status, "nominatedNodeName", NONE),
        _gates(raw),
    ]


def _state(raw: JsonObject, sidecars: frozenset[str]) -> tuple[str, _Counts]:
    """The STATUS of a Pod, and what is counted of its containers."""
    status = member(raw, "status")
    phase = text_of(status, "phase")
    reason = text_of(status, "reason", phase)
    if any(each.get("reason") == "SchedulingGated" for each in objects_of(status, "conditions")):
        scheduled = condition(raw, "PodScheduled")
        if scheduled is not None and scheduled.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    counts = _Counts()
    waiting = _initializing(raw, sidecars, counts)
    initialized = condition(raw, "Initialized")
    if waiting is not None:
        reason = waiting
    if waiting is None or (initialized is not None and initialized.get("status") == "True"):
        reason = _running(raw, sidecars, counts, reason)
    if "deletionTimestamp" in member(raw, "metadata"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif phase not in _ENDED:
            reason = "Terminating"
    return reason, counts


def _initializing(raw: JsonObject, sidecars: frozenset[str], counts: _Counts) -> str | None:
    """The STATUS where an init container is not done; None where all are."""
    for index, each in enumerate(objects_of(member(raw, "status"), "initContainerStatuses")):
        counts.restarted(each)
        state = member(each, "state")
        ended, waits = state.get("terminated"), text_of(member(state, "waiting"), "reason")
        if isinstance(ended, dict) and not number_of(ended, "exitCode"):
            continue
        if each.get("name") in sidecars and each.get("started") is True:
            counts.ready += each.get("ready") is True
            continue
        if isinstance(ended, dict):
            return f"Init:{_end(ended)}"
        if waits and waits != "PodInitializing":
            return f"Init:{waits}"
        return f"Init:{index}/{len(objects_of(member(raw, 'spec'), 'initContainers'))}"
    return None


def _end(ended: JsonObject) -> str:
    """How a container ended."""
    signal = number_of(ended, "signal")
    otherwise = f"Signal:{signal}" if signal else f"ExitCode:{number_of(ended, 'exitCode')}"
    return text_of(ended, "reason", otherwise)


def _running(raw: JsonObject, sidecars: frozenset[str], counts: _Counts, reason: str) -> str:
    """The STATUS of a Pod that is initialized."""
    status = member(raw, "status")
    counts.restarts, counts.latest = 0, ""
    for each in objects_of(status, "initContainerStatuses"):
        if each.get("name") in sidecars:
            counts.restarted(each)
    runs, failure = False, ""
    for each in reversed(objects_of(status, "containerStatuses")):
        counts.restarted(each)
        state = member(each, "state")
        ended, waits = state.get("terminated"), text_of(member(state, "waiting"), "reason")
        if waits:
            reason = waits
        elif isinstance(ended, dict):
            reason = _end(ended)
            failure = reason if number_of(ended, "exitCode") else failure
        elif each.get("ready") is True and isinstance(state.get("running"), dict):
            runs = True
            counts.ready += 1
    if reason != "Completed":
        return reason
    ready = condition(raw, "Ready")
    if runs and ready is not None and ready.get("status") == "True":
        return "Running"
    return failure or ("NotReady" if runs else reason)


def _gates(raw: JsonObject) -> str:
    gates = objects_of(member(raw, "spec"), "readinessGates")
    if not gates:
        return NONE
    found = [condition(raw, text_of(each, "conditionType")) for each in gates]
    return f"{sum(each is not None and each.get('status') == 'True' for each in found)}/{len(gates)}"


POD = Printer(
    (
        NAME,
        Column("Ready"),
        Column("Status"),
        Column("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ),
    cells,
)
