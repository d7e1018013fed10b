"""Looking after one kept Pod: every change is noted on disk, and once it is told whether the Pod came up.

A Pod has come up when every container has started, its init containers are done, its postStart hooks have succeeded,
and none of its containers failed in a moment after that. One that does not come up is ended and removed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime import kept
from podward.runtime.container import ContainerRun
from podward.runtime.pod import PodRun
from podward.runtime.report import Reporter
from podward.runtime.stop_signals import StopSignals
from podward.runtime.supervisor import Supervisor

MOMENT = 0.25
"""Seconds for which a Pod must have run: a program that can't work here usually ends at once."""
DID_NOT_COME_UP = 1


class Monitor:
    """Supervises the Pod; `came_up` is called once, when the Pod runs."""

    def __init__(self, pod: PodRun, report: Reporter, stop: StopSignals, came_up: Callable[[], None]) -> None:
        self._pod = pod
        self._came_up: Callable[[], None] | None = came_up
        self._supervisor = Supervisor((pod,), report, stop, changed=self._note)
        self._waiting = False
        self.failure = ""
        """Why the Pod did not come up."""
        self._failed_with = 0

    def run(self) -> int:
        """Until the Pod has ended; the exit code says how, or that it never came up."""
        code = self._supervisor.run()
        if self._came_up is not None and not self.failure and not self._pod.stopping:
            self._judge()
        return self._failed_with or code

    def _note(self, pod: PodRun) -> None:
        kept.write(pod.directory.path, pod.record())
        if self._came_up is None or self.failure or pod.stopping:
            return
        failed = next((c for c in pod.containers if c.kind != "init" and _failed(c)), None)
        if failed is not None:
            self._fail(failed)
        elif not self._waiting and all(_has_started(c) for c in pod.containers):
            self._waiting = True
            self._supervisor.loop.after(MOMENT, self._judge)

    def _judge(self) -> None:
        """The moment is over: the Pod has come up unless one of its containers has failed."""
        failed = next((c for c in self._pod.containers if _failed(c)), None)
        if failed is not None:
            self._fail(failed)
        elif self._came_up is not None:
            self._came_up()
            self._came_up = None

    def _fail(self, container: ContainerRun) -> None:
        """Give the Pod up: nothing of it is kept."""
        how = "could not be started" if container.failed_to_start else f"ended with exit code {container.exit_code}"
        self.failure = f"container {container.name} {how}"
        self._failed_with = container.exit_code or DID_NOT_COME_UP
        self._pod.keep = False
        self._supervisor.stop(signal.SIGTERM)
        self._supervisor.stop(signal.SIGTERM)


def _failed(container: ContainerRun) -> bool:
    return container.failed_to_start or container.exit_code != 0


def _has_started(container: ContainerRun) -> bool:
    return container.state is not ContainerState.WAITING and not container.starting
