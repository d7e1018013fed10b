"""The event loop of `podward run`: output, exits, restarts and signals of all Pods of one call.

One thread, one poll. What to do next is decided by `podward.policy.kubelet.lifecycle`; here it is done.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.policy.kubelet import lifecycle
from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime.container import ContainerRun
from podward.runtime.event_loop import EventLoop
from podward.runtime.pod import PodRun
from podward.runtime.processes import exit_code
from podward.runtime.report import Reporter
from podward.runtime.stop_signals import StopSignals

if TYPE_CHECKING:
    from podward.runtime.attached import Attached
    from podward.runtime.probes_and_hooks import ProbesAndHooks

_INTERRUPTED = 130
_TERMINATED = 143
_KILLED = 137


class _Timer(Struct, frozen=True):
    """When a container of the Pod is to be started again or, if it `kills`, to be killed."""

    at: float
    pod: PodRun
    container: ContainerRun
    kills: bool = False


class Supervisor:
    """Runs prepared Pods until they are done, or until it is told to stop."""

    def __init__(
        self,
        pods: tuple[PodRun, ...],
        report: Reporter,
        stop: StopSignals,
        stdin: int = -1,
        changed: Callable[[PodRun], None] | None = None,
    ) -> None:
        self.loop = EventLoop()
        self._pods = pods
        self._report = report
        self._stop_signals = stop
        self._changed = changed
        """Who is told whenever a container of a Pod has started or ended."""
        self._timers: list[_Timer] = []
        self._asked = 0
        self._code = 0
        self._stdin = stdin
        """The descriptor that is passed on to the first container that asks for standard input; -1 for none."""
        self._attached: Attached | None = None
        self._attended: ProbesAndHooks | None = None
        self._ending: set[ContainerRun] = set()

    def run(self) -> int:
        """The exit code: the first Pod's that failed, or 128 + the signal that ended us."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, _noted) for number in (signal.SIGCHLD, signal.SIGWINCH)}
        self.loop.watch(wake_read, lambda wake: self._woken(os.read(wake, 512)))
        try:
            with self._stop_signals.listen():
                self._stop_signals.note()
                self._run()
                self._stop_signals.note(1)
        finally:
            if self._attached is not None:
                self._attached.restore()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            os.close(wake_read)
            os.close(wake_write)
        return self._code or next((pod.exit_code for pod in self._pods if pod.exit_code), 0)

    def _run(self) -> None:
        for pod in self._pods:
            self._advance(pod)
        gc.enable()
        self._heed()
        while not all(pod.done for pod in self._pods):
            self.loop.turn(min((timer.at for timer in self._timers), default=None))
            self._heed()
            self._expire(time.monotonic())

    def _woken(self, numbers: bytes) -> None:
        if signal.SIGCHLD in numbers:
            self.loop.reap(self._reaped)
        if signal.SIGWINCH in numbers and self._attached is not None:
            self._attached.resize()

    def _heed(self) -> None:
        for number in self._stop_signals.take():
            self._stop_all(number)

    def _reaped(self, pid: int, status: int) -> None:
        """A child ended: a container's process, or an orphan of one that shares the host's pid namespace."""
        for pod in self._pods:
            container = pod.by_pid(pid)
            if container is not None:
                self._ended(pod, container, exit_code(status))

    def _ended(self, pod: PodRun, container: ContainerRun, code: int) -> None:
        if self._attached is not None:
            self._attached.detach(container)
        if self._attended is not None:
            self._attended.end(container)
        self._ending.discard(container)
        for descriptor in container.finish(code):
            self.loop.forget(descriptor)
        self._timers = [timer for timer in self._timers if timer.container is not container]
        self._advance(pod)

    def _advance(self, pod: PodRun) -> None:
        """Do what the lifecycle rule says now; nothing is begun where a signal waits to be heeded."""
        self._follow(pod)
        if self._changed is not None:
            self._changed(pod)

    def _follow(self, pod: PodRun) -> None:
        while not pod.done and not self._stop_signals.is_waiting():
            actions = pod.next_actions()
            for name in actions.stop:
                self._stop(pod, pod.container(name), pod.grace_seconds)
            for name in actions.restart:
                self._restart_later(pod, pod.container(name))
            if actions.done:
                pod.finish(actions.exit_code)
                return
            if not actions.start:
                return
            for name in actions.start:
                if self._stop_signals.is_waiting():
                    return
                self._start(pod, pod.container(name))

    def _start(self, pod: PodRun, container: ContainerRun) -> None:
        for descriptor in container.start(time.monotonic()):
            self.loop.watch(descriptor, partial(self._pump, container))
        if container.state is not ContainerState.RUNNING:
            return
        if container.input is not None and self._stdin >= 0:
            self._attach(container)
        if container.attended:
            if self._attended is None:
                from podward.runtime.probes_and_hooks import ProbesAndHooks  # most Pods have none

                self._attended = ProbesAndHooks(self.loop, self._report, self._advance, self._stop)
            self._attended.begin(pod, container)

    def _pump(self, container: ContainerRun, descriptor: int) -> None:
        if not container.pump(descriptor):
            self.loop.forget(descriptor)

    def _attach(self, container: ContainerRun) -> None:
        if self._attached is None:
            from podward.runtime.attached import Attached  # few containers ask for it

            self._attached = Attached(self.loop, self._stdin)
        self._attached.attach(container)

    def _restart_later(self, pod: PodRun, container: ContainerRun) -> None:
        if any(timer.container is container for timer in self._timers):
            return
        now = time.monotonic()
        delay = lifecycle.backoff(container.next_restart(now))
        self._report.restarting(container.label, container.exit_code, delay)
        self._timers.append(_Timer(now + delay, pod, container))

    def _stop(self, pod: PodRun, container: ContainerRun, grace: float) -> None:
        """Let the container end: its preStop hook, its stop signal, and once the grace period is over the end."""
        if container in self._ending:
            return
        self._ending.add(container)
        if self._attended is not None and container.attended:
            self._attended.before_stop(container, grace, partial(self._terminate, pod, container))
        else:
            self._terminate(pod, container, grace)

    def _terminate(self, pod: PodRun, container: ContainerRun, grace: float) -> None:
        left = container.terminate(grace)
        self._timers.append(_Timer(time.monotonic() + left, pod, container, kills=True))

    def _expire(self, now: float) -> None:
        due = [timer for timer in self._timers if timer.at <= now]
        self._timers = [timer for timer in self._timers if timer.at > now]
        for timer in due:
            if timer.kills:
                timer.container.kill()
            elif not timer.pod.stopping:
                self._start(timer.pod, timer.container)
                self._advance(timer.pod)

    def stop(self, number: signal.Signals) -> None:
        """End all Pods as if the signal had come."""
        self._stop_all(number)

    def _stop_all(self, number: signal.Signals) -> None:
        """The first signal asks the containers to end; the next one ends them; then nobody waits for them any more."""
        self._asked += 1
        self._code = _INTERRUPTED if number == signal.SIGINT else _TERMINATED
        for pod in self._pods:
            if pod.done:
                continue
            pod.stopping = True
            self._timers = [timer for timer in self._timers if timer.kills]
            for container in pod.running():
                if self._asked > 2:
                    self._ended(pod, container, _KILLED)
                elif self._asked > 1:
                    container.kill()
                else:
                    self._stop(pod, container, pod.grace_seconds)
            self._advance(pod)


def _noted(number: int, frame: object) -> None:
    """The wake-up descriptor carries the signal's number; there is nothing else to do in the handler."""
