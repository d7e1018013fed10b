"""The phase of a Pod, from the statuses of its containers.

Specification (kubelet, `getPhase`, in our words): a Pod has failed when an init container failed that is not started
again. It is pending while a plain init container has not ended, while a sidecar has not started (until regular
containers have been made in this sandbox), or while a container waits that never ran. It runs while a container runs
and all are known. When none runs any more, it has succeeded if every regular container has, and failed otherwise; but
it runs still where one of them is to be started again, unless the Pod is over. Sidecars that have ended don't count.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.core import Container, PodSpec
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.policy.kubelet import restarts
from podward.policy.kubelet.container_kinds import Kind, of_init
from podward.policy.kubelet.container_statuses import RESTARTING_ALL

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
TERMINAL = frozenset((SUCCEEDED, FAILED))


class _Counts(Struct):
    pending: int = 0
    pending_sidecars: int = 0
    failed_for_good: int = 0
    unknown: int = 0
    running: int = 0
    waiting: int = 0
    stopped: int = 0
    stopped_for_good: int = 0
    succeeded: int = 0


def decide(spec: PodSpec, statuses: Iterable[JsonObject], *, over: bool, begun: bool) -> str:
    """The phase; `over` is whether nothing will be started again, `begun` whether a regular container was made."""
    by_name = {str(status.get("name")): status for status in statuses}
    counts = _Counts()
    for container in spec.init_containers or ():
        status = by_name.get(container.name)
        count = _count_sidecar if of_init(container) is Kind.SIDECAR else _count_init
        count(counts, spec, container, status)
    for container in spec.containers or ():
        _count_regular(counts, spec, container, by_name.get(container.name))
    return _phase(counts, over=over, begun=begun)


def _phase(counts: _Counts, *, over: bool, begun: bool) -> str:
    if counts.failed_for_good:
        return FAILED
    unstarted = counts.pending or counts.waiting or counts.unknown or (counts.pending_sidecars and not begun)
    if unstarted or not (counts.running or counts.stopped):
        return PENDING
    if counts.running or (not over and counts.stopped != counts.stopped_for_good):
        return RUNNING
    return SUCCEEDED if counts.stopped == counts.succeeded else FAILED


def _ended(status: JsonObject | None) -> JsonObject | None:
    """How a container that does not run has ended the last time, if it has."""
    if status is None:
        return None
    state = member(status, "state")
    if "terminated" in state:
        return member(state, "terminated")
    last = member(status, "lastState")
    return member(last, "terminated") if "waiting" in state and "terminated" in last else None


def _is_final(spec: PodSpec, container: Container, ended: JsonObject) -> bool:
    if ended.get("reason") == RESTARTING_ALL:
        return False
    return not restarts.should_restart(container, spec.restart_policy, _code(ended))


def _code(ended: JsonObject) -> int:
    code = ended.get("exitCode")
    return code if isinstance(code, int) else 0


def _count_init(counts: _Counts, spec: PodSpec, container: Container, status: JsonObject | None) -> None:
    ended = _ended(status)
    if ended is None:
        counts.pending += 1
    elif _code(ended) != 0 and _is_final(spec, container, ended):
        counts.failed_for_good += 1


def _count_sidecar(counts: _Counts, spec: PodSpec, container: Container, status: JsonObject | None) -> None:
    del spec, container
    state = member(status, "state") if status is not None else {}
    if status is None:
        counts.unknown += 1
    elif "running" in state:
        counts.running += 1
        counts.pending_sidecars += status.get("started") is not True
    elif _ended(status) is None:
        counts.pending_sidecars += 1
        counts.waiting += 1


def _count_regular(counts: _Counts, spec: PodSpec, container: Container, status: JsonObject | None) -> None:
    ended = _ended(status)
    state = member(status, "state") if status is not None else {}
    if "running" in state:
        counts.running += 1
    elif ended is not None:
        counts.stopped += 1
        counts.stopped_for_good += _is_final(spec, container, ended)
        counts.succeeded += "terminated" in state and _code(ended) == 0
    elif "waiting" in state:
        counts.waiting += 1
    else:
        counts.unknown += 1
