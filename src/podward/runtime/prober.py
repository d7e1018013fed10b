"""Asking a running container's probes when it is time; `policy.kubelet.probes` says when, and what follows."""

from __future__ import annotations

import time
from collections.abc import Callable

from podward.api.core import Probe
from podward.policy.kubelet import probes
from podward.policy.kubelet.probes import Effect, ProbeKind, ProbeState, Result
from podward.runtime import handlers
from podward.runtime.event_loop import EventLoop, Timer
from podward.runtime.handlers import Target, Task
from podward.runtime.report import Reporter


class Prober:
    """The probes of one run of a container, from its start to `end`.

    `then` is told of each new verdict that means something for the container.
    """

    def __init__(
        self, loop: EventLoop, target: Target, label: str, report: Reporter, then: Callable[[ProbeKind, Effect], None]
    ) -> None:
        self._loop = loop
        self._target = target
        self._label = label
        self._report = report
        self._then = then
        self._probes = probes.probes_of(target.container)
        for kind, probe in tuple(self._probes.items()):
            if probe.grpc is not None:
                report.probe(label, probes.not_made_text(kind))
                del self._probes[kind]
        self._states: dict[ProbeKind, ProbeState] = {kind: probes.initial(kind) for kind in self._probes}
        self._timers: dict[ProbeKind, Timer] = {}
        self._tasks: dict[ProbeKind, Task] = {}
        self._told: dict[ProbeKind, str] = {}
        self._began = time.monotonic()
        self.started = ProbeKind.STARTUP not in self._probes
        """Whether the startup probe has succeeded, or there is none."""
        for kind, probe in self._probes.items():
            self._look_after(probes.first_look(kind, probe), kind, probe)

    def end(self) -> None:
        """Ask no more."""
        for timer in self._timers.values():
            self._loop.cancel(timer)
        for task in self._tasks.values():
            task.cancel()
        self._timers.clear()
        self._tasks.clear()
        self._probes = {}

    def _look_after(self, seconds: float, kind: ProbeKind, probe: Probe) -> None:
        self._timers[kind] = self._loop.after(seconds, lambda: self._look(kind, probe))

    def _look(self, kind: ProbeKind, probe: Probe) -> None:
        """Ask if it is time; an answer that takes longer than a period is waited for."""
        self._look_after(probes.period(probe), kind, probe)
        running_for = time.monotonic() - self._began
        asked = probes.is_asked(kind, probe, self._states[kind], started=self.started, running_for=running_for)
        if asked and kind not in self._tasks:
            self._tasks[kind] = handlers.start(
                self._loop,
                self._target,
                handlers.Request(probe, probes.timeout(probe)),
                lambda result, said: self._answered(kind, probe, result, said),
            )

    def _answered(self, kind: ProbeKind, probe: Probe, result: Result, said: str) -> None:
        del self._tasks[kind]
        self._tell(kind, probes.attempt_text(kind, result, said) if result is not Result.SUCCESS else "")
        self._states[kind], effect = probes.after(kind, probe, self._states[kind], result)
        if effect is Effect.STARTED:
            self.started = True
            self._ask_at_once(ProbeKind.READINESS)
        if effect is not None:
            self._then(kind, effect)

    def _tell(self, kind: ProbeKind, text: str) -> None:
        """Report what is new; the same words again say nothing."""
        if text and text != self._told.get(kind):
            self._report.probe(self._label, text)
        self._told[kind] = text

    def _ask_at_once(self, kind: ProbeKind) -> None:
        probe = self._probes.get(kind)
        if probe is not None:
            self._loop.cancel(self._timers[kind])
            self._look_after(0.0, kind, probe)
