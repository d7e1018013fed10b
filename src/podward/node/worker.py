"""One Pod on the node: a task that brings it to what is wanted, one step at a time, the newest wish first.

Specification (kubelet, pkg/kubelet/pod_workers.go, in our words): a Pod is synced until it is deleted, has ended, or is
taken from the node; then it is terminated: its containers are ended within their time, and no wish makes it run again;
then it is terminated, and what it had here is taken away. The time to end only becomes shorter. A sync that goes on is
left when the Pod is to be terminated. A step that failed is tried again. Each Pod is looked at once a minute at least.
"""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum

from podward.api.pod_seen import PodEnding
from podward.errors import PodwardError
from podward.node import resize, syncing
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.node.subject import Subject
from podward.node.syncing import Ended

_RESYNC = 60.0
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 10.0
_LEAST_GRACE = 1


class Stage(Enum):
    """How far a Pod is."""

    SYNC = "sync"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    CLEANED = "cleaned"
    """Nothing is left of it but dead containers and logs."""
    GONE = "gone"


class PodWorker:
    """The task of one Pod."""

    def __init__(self, parts: Parts, subject: Subject) -> None:
        known = resize.known(subject.document, subject.directory(parts.context.options))
        self.state = PodState(Subject.of(known.given), known)
        self.stage = Stage.SYNC
        self._parts = parts
        self._woken = asyncio.Event()
        self._woken.set()
        self._step: asyncio.Task[float | None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._retry = _FIRST_RETRY
        self._task = asyncio.create_task(self._run())

    # --- what others ask for -----------------------------------------------------------------------------------------

    def update(self, subject: Subject) -> None:
        """The Pod has changed on the server."""
        self.state.resize.wanted = subject.document
        self.state.subject = Subject.of(self.state.resize.given)
        if subject.deleted:
            self._terminate(subject.deletion_grace)
        self.wake()

    def remove(self) -> None:
        """The Pod is not the node's any more: it ends here, and nothing of it stays."""
        self.state.removed = True
        self._terminate(self.state.subject.deletion_grace)
        self.wake()

    def end(self, ending: PodEnding, grace: int | None = None) -> None:
        """The Pod is to end though nobody has deleted it."""
        if self.state.ending is None and self.stage is Stage.SYNC:
            self.state.ending = ending
            self._terminate(grace)
            self.wake()

    def wake(self) -> None:
        """Look at the Pod now."""
        self._woken.set()

    def probed(self) -> None:
        """A probe has something new to say: it is told at once, whatever else goes on, and the Pod is looked at."""
        self.wake()
        if self._step is not None and (self._telling is None or self._telling.done()):
            self._telling = asyncio.create_task(self._tell())

    @property
    def takes_room(self) -> bool:
        """Whether the Pod was admitted, and may still run."""
        rejected = self.state.ending is not None and self.state.ending.rejected
        return not rejected and self.stage in {Stage.SYNC, Stage.TERMINATING}

    @property
    def is_gone(self) -> bool:
        """Whether there is nothing to do any more."""
        return self._task.done()

    async def close(self) -> None:
        """Do nothing more about the Pod; what runs goes on."""
        tasks = [task for task in (self._task, self._telling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- the task ----------------------------------------------------------------------------------------------------

    def _terminate(self, grace: int | None) -> None:
        """From now on the Pod ends; a time that is shorter than the one before counts at once."""
        spec = self.state.subject.pod.spec
        wanted = grace if grace is not None else spec.termination_grace_period_seconds
        wanted = max(_LEAST_GRACE, wanted if wanted is not None else _LEAST_GRACE)
        before = self.state.grace
        self.state.grace = wanted if before is None else min(before, wanted)
        shorter = before is not None and wanted < before
        if self.stage is Stage.SYNC:
            self.stage = Stage.TERMINATING
        elif not (shorter and self.stage is Stage.TERMINATING):
            return
        if self._step is not None:
            self._step.cancel()

    async def _tell(self) -> None:
        with contextlib.suppress(PodwardError):
            look = await syncing.looked(self._parts, self.state.subject.uid)
            if self.stage in {Stage.SYNC, Stage.TERMINATING} and not self.state.stopped:
                self.state.tell_status(self._parts, self.state.seen(self._parts, look))

    async def _run(self) -> None:
        pause: float | None = 0.0
        while self.stage is not Stage.GONE:
            if pause != 0.0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _RESYNC if pause is None else pause)
            self._woken.clear()
            pause = await self._guarded()

    async def _guarded(self) -> float | None:
        """A step; the seconds until the next one, unless somebody wakes us. What fails is tried again."""
        self._step = asyncio.create_task(self._stepped())
        try:
            await asyncio.wait([self._step])
        except asyncio.CancelledError:
            self._step.cancel()
            await asyncio.gather(self._step, return_exceptions=True)
            raise
        done, self._step = self._step, None
        if done.cancelled():
            return 0.0  # for a wish that is more urgent
        error = done.exception()
        if error is None:
            self._retry = _FIRST_RETRY
            return done.result()
        if isinstance(error, PodwardError):
            self._parts.context.log.failed(f"Pod {self.state.subject.uid}: {error.what}")
        else:
            self._parts.context.log.broke(f"Pod {self.state.subject.uid}", error)
        self._retry, pause = min(2 * self._retry, _LONGEST_RETRY), self._retry
        return pause

    async def _stepped(self) -> float | None:
        match self.stage:
            case Stage.SYNC:
                return await self._synced()
            case Stage.TERMINATING:
                await syncing.terminate(self._parts, self.state)
                self.stage = Stage.TERMINATED
            case Stage.TERMINATED:
                await syncing.clean(self._parts, self.state)
                self.stage = Stage.CLEANED
            case Stage.CLEANED if self.state.removed:
                await syncing.forget(self._parts, self.state)
                self.stage = Stage.GONE
            case _:
                return None
        return 0.0

    async def _synced(self) -> float | None:
        try:
            pause = await syncing.sync(self._parts, self.state)
        except Ended:
            self._terminate(None)
            return 0.0
        return pause if pause is None else min(max(pause, 0.01), _RESYNC)
