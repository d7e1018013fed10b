"""Asks the probes of the node's running containers when it is time, and keeps their verdicts.

Specification (kubelet, pkg/kubelet/prober, in our words; when a probe is asked and what follows is
`policy.kubelet.probes`' rule): each attempt that does not plainly succeed is an event. One that could not be made is
made three times before it is told. A container that a node before us has started keeps its verdicts: what was started
is, what was ready stays so until its probe fails. The probes of such containers begin within a period, at random, so
that not all of them are asked at once. While a Pod is being ended, only its readiness is asked.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from msgspec import Struct

from podward.api.core import Container, Probe
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.node.handlers import Answer, Handlers
from podward.policy.kubelet import probes
from podward.policy.kubelet.pod_events import PROBE_WARNING, UNHEALTHY, field_of
from podward.policy.kubelet.probes import Effect, ProbeKind, ProbeState, Result
from podward.runtime.network_checks import Asked
from podward.schema import moments

Tell = Callable[[JsonObject, str, str, str, str], None]
"""Tells an event: the object, the type, the reason, the message, the field that it is about."""
_ATTEMPTS = 3
_VERDICTS = {Result.SUCCESS: True, Result.FAILURE: False}


class Verdicts(Struct, frozen=True):
    """What the probes say of a container's run; None where there is no verdict yet, or no such probe."""

    startup: bool | None = None
    liveness: bool | None = None
    readiness: bool | None = None


NONE = Verdicts()


class Probed(Struct, frozen=True):
    """A run of a container of a Pod, which is reached at this address."""

    document: JsonObject
    container: Container
    run: str
    address: str


class Probes:
    """The probes of all containers of the node."""

    def __init__(self, handlers: Handlers, tell: Tell, changed: Callable[[str], None]) -> None:
        """`changed` is told the uid of a Pod about one of whose containers there is a new verdict."""
        self._handlers = handlers
        self._tell = tell
        self._changed = changed
        self._probers: dict[tuple[str, str], _Prober] = {}

    def verdicts(self, uid: str, container: str, run: str) -> Verdicts:
        """What is known of this run of the container."""
        prober = self._probers.get((uid, container))
        return prober.verdicts() if prober is not None and prober.probed.run == run else NONE

    def begin(self, probed: Probed) -> None:
        """The container runs: from now on its probes are asked; again the same run changes nothing."""
        uid = str(member(probed.document, "metadata").get("uid"))
        key = uid, probed.container.name
        known = self._probers.get(key)
        if known is not None and known.probed.run == probed.run:
            return
        if known is not None:
            known.end()
        self._probers[key] = _Prober(self._handlers, probed, self._tell, lambda: self._changed(uid))

    def terminate(self, uid: str, container: str = "") -> None:
        """A container or the Pod is being ended: only readiness is asked any more."""
        for (pod, name), prober in self._probers.items():
            if pod == uid and container in {"", name}:
                prober.end(ProbeKind.STARTUP, ProbeKind.LIVENESS)

    def end(self, uid: str, container: str = "") -> None:
        """Ask nothing more of this container; without a name, of no container of the Pod."""
        for key in [key for key in self._probers if key[0] == uid and container in {"", key[1]}]:
            self._probers.pop(key).end()

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = [task for prober in self._probers.values() for task in prober.end()]
        self._probers.clear()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Prober:
    """The probes of one run of a container: a task for each."""

    def __init__(self, handlers: Handlers, probed: Probed, tell: Tell, changed: Callable[[], None]) -> None:
        self.probed = probed
        self._handlers = handlers
        self._tell = tell
        self._changed = changed
        self._probes = probes.probes_of(probed.container)
        before = _told_before(probed)
        self._began = time.monotonic() - _age(before)
        self._states = {kind: _first_state(kind, before) for kind in self._probes}
        self._started = ProbeKind.STARTUP not in self._probes or before.get("started") is True
        self._at_once = {kind: asyncio.Event() for kind in self._probes}
        self._tasks = {
            kind: asyncio.create_task(self._ask_for_ever(kind, probe, adopted=bool(before)))
            for kind, probe in self._probes.items()
        }

    def verdicts(self) -> Verdicts:
        found = {kind.value: _VERDICTS.get(state.verdict) for kind, state in self._states.items()}
        return Verdicts(found.get("startup"), found.get("liveness"), found.get("readiness"))

    def end(self, *kinds: ProbeKind) -> list[asyncio.Task[None]]:
        """Ask these no more, or none; what still ends."""
        ended = [self._tasks.pop(kind) for kind in kinds or tuple(self._tasks) if kind in self._tasks]
        for task in ended:
            task.cancel()
        return ended

    async def _ask_for_ever(self, kind: ProbeKind, probe: Probe, *, adopted: bool) -> None:
        period = probes.period(probe)
        await asyncio.sleep(random.random() * period if adopted else probes.first_look(kind, probe))  # noqa: S311 - no secret
        tick = time.monotonic()
        while True:
            state, running_for = self._states[kind], time.monotonic() - self._began
            if probes.is_asked(kind, probe, state, started=self._started, running_for=running_for):
                self._heard(kind, probe, await self._ask(probe))
            tick, wait = probes.next_tick(tick, period, time.monotonic())
            try:
                await asyncio.wait_for(self._at_once[kind].wait(), wait)
            except TimeoutError:
                continue
            self._at_once[kind].clear()
            tick = time.monotonic()

    async def _ask(self, probe: Probe) -> Answer:
        asked = Asked(self.probed.container, self.probed.address, probes.timeout(probe))
        for _ in range(_ATTEMPTS - 1):
            answer = await self._handlers.do(probe, asked, self.probed.run)
            if answer.result is not Result.ERROR:
                return answer
        return await self._handlers.do(probe, asked, self.probed.run)

    def _heard(self, kind: ProbeKind, probe: Probe, answer: Answer) -> None:
        if answer.result is not Result.SUCCESS:
            row = PROBE_WARNING if answer.result is Result.WARNING else UNHEALTHY
            said = answer.error if answer.result is Result.ERROR else answer.said
            text = probes.attempt_text(kind, answer.result, said)
            where = field_of(self.probed.document, self.probed.container.name)
            self._tell(self.probed.document, row.type, row.reason, text, where)
        self._states[kind], effect = probes.after(kind, probe, self._states[kind], answer.result)
        if effect is None:
            return
        if effect is Effect.STARTED:
            self._started = True
            if ProbeKind.READINESS in self._at_once:
                self._at_once[ProbeKind.READINESS].set()
        self._changed()


def _told_before(probed: Probed) -> JsonObject:
    """The status of this very run that was told before we began; empty for a run that is our own."""
    status = member(probed.document, "status")
    rows = (*objects(status, "containerStatuses"), *objects(status, "initContainerStatuses"))
    for row in rows:
        if str(row.get("containerID")).endswith(f"://{probed.run}") and "running" in member(row, "state"):
            return row
    return {}


def _age(before: JsonObject) -> float:
    """For how many seconds the run has been running."""
    since = member(member(before, "state"), "running").get("startedAt")
    return max(0.0, time.time() - moments.seconds(since)) if isinstance(since, str) else 0.0


def _first_state(kind: ProbeKind, before: JsonObject) -> ProbeState:
    known = {ProbeKind.STARTUP: before.get("started"), ProbeKind.READINESS: before.get("ready")}
    return ProbeState(Result.SUCCESS) if known.get(kind) is True else probes.initial(kind)
