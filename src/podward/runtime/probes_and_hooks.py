"""The probes and lifecycle hooks of running containers: done at the right moment, and what follows told.

Specification (kubelet `startContainer`, `killContainer`, in our words):
- postStart runs once the container runs; what comes after it in the Pod waits for its end, and probes begin then. If it
  fails, the container is killed.
- preStop runs before the container is asked to end, at most for the grace period; what it took is taken off that, but
  two seconds are always left. That it failed changes nothing.
- Who fails a liveness or startup probe is ended as any other, within the probe's own grace period where it has one.
- While a container is being ended, no probe is asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from podward.api.core import Handler
from podward.policy.kubelet import probes
from podward.policy.kubelet.lifecycle import ContainerState
from podward.policy.kubelet.probes import Effect, ProbeKind, Result
from podward.runtime import handlers
from podward.runtime.container import ContainerRun
from podward.runtime.event_loop import EventLoop
from podward.runtime.handlers import Task
from podward.runtime.pod import PodRun
from podward.runtime.prober import Prober
from podward.runtime.report import Reporter

SHORTEST_GRACE = 2.0
"""Seconds that a container always has to end, however long its preStop hook took."""


class ProbesAndHooks:
    """Those of all containers of one supervisor, which does what follows: `advance` a Pod, `stop` a container."""

    def __init__(
        self,
        loop: EventLoop,
        report: Reporter,
        advance: Callable[[PodRun], None],
        stop: Callable[[PodRun, ContainerRun, float], None],
    ) -> None:
        self._loop = loop
        self._report = report
        self._advance = advance
        self._stop = stop
        self._probers: dict[ContainerRun, Prober] = {}
        self._hooks: dict[ContainerRun, Task] = {}

    def begin(self, pod: PodRun, container: ContainerRun) -> None:
        """The container's process runs now."""
        hooks = container.plan.container.lifecycle
        if hooks is None or hooks.post_start is None:
            self._probe(pod, container)
            return
        container.starting = True

        def done(result: Result, said: str) -> None:
            self._hooks.pop(container)
            if result is Result.SUCCESS:
                self._probe(pod, container)
                self._advance(pod)
            else:
                self._report.hook_failed(container.label, "postStart", said, "it is killed")
                self._stop(pod, container, pod.grace_seconds)

        self._hook(container, hooks.post_start, float("inf"), done)

    def before_stop(self, container: ContainerRun, grace: float, then: Callable[[float], None]) -> None:
        """Run the container's preStop hook if it has one, and call `then` with the grace that is left."""
        self.end(container)
        hooks = container.plan.container.lifecycle
        if hooks is None or hooks.pre_stop is None or grace <= 0:
            then(grace)
            return
        began = time.monotonic()

        def done(result: Result, said: str) -> None:
            self._hooks.pop(container)
            if result is not Result.SUCCESS:
                self._report.hook_failed(container.label, "preStop", said, "it is asked to end all the same")
            then(max(SHORTEST_GRACE, grace - (time.monotonic() - began)))

        self._hook(container, hooks.pre_stop, grace, done)

    def end(self, container: ContainerRun) -> None:
        """The container has ended, or is about to be: its probes and hooks end too."""
        prober, hook = self._probers.pop(container, None), self._hooks.pop(container, None)
        if prober is not None:
            prober.end()
        if hook is not None:
            hook.cancel()

    def _hook(self, container: ContainerRun, hook: Handler, timeout: float, done: handlers.Done) -> None:
        request = handlers.Request(hook, timeout, "lifecycle")
        self._hooks[container] = handlers.start(self._loop, container.target(), request, done)

    def _probe(self, pod: PodRun, container: ContainerRun) -> None:
        def told(kind: ProbeKind, effect: Effect) -> None:
            self._follow(pod, container, kind, effect)

        prober = Prober(self._loop, container.target(), container.label, self._report, told)
        self._probers[container] = prober
        container.starting = container.kind == "sidecar" and not prober.started

    def _follow(self, pod: PodRun, container: ContainerRun, kind: ProbeKind, effect: Effect) -> None:
        if container.state is not ContainerState.RUNNING:
            return
        if effect is Effect.STARTED:
            container.starting = False
            self._advance(pod)
        elif effect is Effect.RESTART:
            container.unhealthy = True
            self._report.unhealthy(
                container.label, probes.restart_text(kind, container.name, pod.restart_policy(container))
            )
            probe = probes.probes_of(container.plan.container)[kind]
            grace = probe.termination_grace_period_seconds
            self._stop(pod, container, pod.grace_seconds if grace is None else float(grace))
        else:
            container.ready = effect is Effect.READY
            self._advance(pod)  # nothing follows from it here; who notes the Pod's state is told
