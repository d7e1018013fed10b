"""The event loop of `podward run`: output, exits, restarts and signals of all Pods of one call.

One thread, one poll. What to do next is decided by `podward.policy.kubelet.lifecycle`; here it is done.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import time

from msgspec import Struct

from podward.policy.kubelet import lifecycle
from podward.runtime.container import ContainerRun
from podward.runtime.pod import PodRun
from podward.runtime.processes import exit_code
from podward.runtime.report import Reporter
from podward.runtime.stop_signals import StopSignals

_KEPT_LOG_INTERVAL = 0.05
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

    def __init__(self, pods: tuple[PodRun, ...], report: Reporter, stop: StopSignals) -> None:
        self._pods = pods
        self._report = report
        self._stop_signals = stop
        self._poll = select.poll()
        self._relays: dict[int, ContainerRun] = {}
        self._timers: list[_Timer] = []
        self._asked = 0
        self._code = 0

    def run(self) -> int:
        """The exit code: the first Pod's that failed, or 128 + the signal that ended us."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        handler = signal.signal(signal.SIGCHLD, _noted)
        self._poll.register(wake_read, select.POLLIN)
        try:
            with self._stop_signals.listen():
                self._stop_signals.note()
                for pod in self._pods:
                    self._advance(pod)
                gc.enable()
                self._heed()
                while not all(pod.done for pod in self._pods):
                    self._wait(wake_read)
                self._stop_signals.note(1)
        finally:
            signal.signal(signal.SIGCHLD, handler)
            signal.set_wakeup_fd(before)
            os.close(wake_read)
            os.close(wake_write)
        return self._code or next((pod.exit_code for pod in self._pods if pod.exit_code), 0)

    def _wait(self, wake: int) -> None:
        now = time.monotonic()
        due = min((timer.at for timer in self._timers), default=None)
        timeout = None if due is None else max(0.0, due - now) * 1000 + 1
        if any(pod.keep for pod in self._pods):
            timeout = min(timeout or 1e9, _KEPT_LOG_INTERVAL * 1000)
        for descriptor, _ in self._poll.poll(timeout):
            if descriptor == wake:
                if signal.SIGCHLD in os.read(wake, 512):
                    self._reap()
            elif descriptor in self._relays:
                self._pump(descriptor)
        for pod in self._pods:
            if pod.keep:
                pod.pump_logs()
        self._heed()
        self._expire(time.monotonic())

    def _pump(self, descriptor: int) -> None:
        container = self._relays[descriptor]
        if not container.pump(descriptor):
            self._poll.unregister(descriptor)
            del self._relays[descriptor]

    def _heed(self) -> None:
        for number in self._stop_signals.take():
            self._stop_all(number)

    def _reap(self) -> None:
        """Collect every child that ended; orphans of containers that share the host's pid namespace come here too."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for pod in self._pods:
                container = pod.by_pid(pid)
                if container is not None:
                    self._ended(pod, container, exit_code(status))

    def _ended(self, pod: PodRun, container: ContainerRun, code: int) -> None:
        for descriptor in container.finish(code):
            if descriptor in self._relays:
                self._poll.unregister(descriptor)
                del self._relays[descriptor]
        self._timers = [timer for timer in self._timers if timer.container is not container]
        self._advance(pod)

    def _advance(self, pod: PodRun) -> None:
        """Do what the lifecycle rule says now; nothing is begun where a signal waits to be heeded."""
        while not pod.done and not self._stop_signals.is_waiting():
            actions = pod.next_actions()
            for name in actions.stop:
                self._stop(pod, pod.container(name))
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
                self._start(pod.container(name))

    def _start(self, container: ContainerRun) -> None:
        for descriptor in container.start(time.monotonic()):
            self._relays[descriptor] = container
            self._poll.register(descriptor, select.POLLIN)

    def _restart_later(self, pod: PodRun, container: ContainerRun) -> None:
        if any(timer.container is container for timer in self._timers):
            return
        now = time.monotonic()
        delay = lifecycle.backoff(container.next_restart(now))
        self._report.restarting(container.label, container.exit_code, delay)
        self._timers.append(_Timer(now + delay, pod, container))

    def _stop(self, pod: PodRun, container: ContainerRun) -> None:
        if any(timer.container is container and timer.kills for timer in self._timers):
            return
        grace = container.terminate(pod.grace_seconds)
        self._timers.append(_Timer(time.monotonic() + grace, pod, container, kills=True))

    def _expire(self, now: float) -> None:
        due = [timer for timer in self._timers if timer.at <= now]
        self._timers = [timer for timer in self._timers if timer.at > now]
        for timer in due:
            if timer.kills:
                timer.container.kill()
            elif not timer.pod.stopping:
                self._start(timer.container)
                self._advance(timer.pod)

    def _stop_all(self, number: signal.Signals) -> None:
        """The first signal asks the containers to end; the next one ends them; then nobody waits for them any more."""
        self._asked += 1
        self._code = _INTERRUPTED if number == signal.SIGINT else _TERMINATED
        for pod in self._pods:
            if pod.done:
                continue
            if pod.keep:
                pod.leave_running()
                continue
            pod.stopping = True
            self._timers = [timer for timer in self._timers if timer.kills]
            for container in pod.running():
                if self._asked > 2:
                    self._ended(pod, container, _KILLED)
                elif self._asked > 1:
                    container.kill()
                else:
                    self._stop(pod, container)
            self._advance(pod)


def _noted(number: int, frame: object) -> None:
    """The wake-up descriptor carries the signal's number; there is nothing else to do in the handler."""
