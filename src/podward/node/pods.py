"""The node's Pods: those that the API server has bound to it, those of files, and what is left of others.

Specification (kubelet, `HandlePodCleanups` and the handlers of pkg/kubelet, in our words): a Pod that comes is admitted
and gets a worker; a change, or a container that has ended by itself, wakes it. A Pod that the API server has not any
more is ended and forgotten. What the runtime has of Pods that nobody knows is ended, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import ListPodSandboxRequest, RemovePodSandboxRequest
from podward.api.json_value import JsonObject
from podward.api.pod_seen import PodEnding
from podward.client.informer import Change, Informer
from podward.documents.raw_fields import member
from podward.node import pod_verbs
from podward.node.admission import admit, was_admitted
from podward.node.parts import Parts
from podward.node.pod_verbs import SweepRequest
from podward.node.subject import Subject
from podward.node.worker import PodWorker
from podward.policy.kubelet import cri_names, pod_conditions, static_pods
from podward.policy.kubelet.pod_phase import TERMINAL
from podward.runtime.service import verbs
from podward.schema.validation.raw import text

_HOUSEKEEPING = 60.0


class Pods:
    """The workers of all Pods, by uid."""

    def __init__(self, parts: Parts, informer: Informer, node: Callable[[], JsonObject]) -> None:
        """`node` is the Node object as it is now."""
        self._parts = parts
        self._informer = informer
        self._node = node
        self._workers: dict[str, PodWorker] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, others: Iterable[str] = ()) -> None:
        """Take every Pod that there is, and end what nobody knows; the informer has been started.

        `others` are the uids of Pods that will be added.
        """
        known = [*others, *(text(member(pod, "metadata"), "uid") for pod in self._informer.items())]
        await self._end_unknown(frozenset(known))
        for pod in sorted(self._informer.items(), key=lambda pod: (not was_admitted(pod), _created(pod))):
            self._changed(Change(None, pod))
        self._informer.listeners.append(self._changed)
        self._go_on(self._keep_house())

    async def close(self) -> None:
        """Do nothing more; what runs goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._workers.values()))

    def worker(self, uid: str) -> PodWorker | None:
        """The worker of a Pod."""
        return self._workers.get(uid)

    def add(self, subject: Subject) -> None:
        """Run a Pod that does not come from the API server."""
        if subject.uid not in self._workers:
            self._take(subject)

    def drop(self, uid: str) -> None:
        """End such a Pod."""
        if worker := self._workers.get(uid):
            worker.remove()

    def wake(self, uid: str) -> None:
        """Something that the Pod depends on has changed."""
        if worker := self._workers.get(uid):
            worker.wake()

    def probed(self, uid: str) -> None:
        """A probe of the Pod has something new to say."""
        if worker := self._workers.get(uid):
            worker.probed()

    def heard(self, uid: str) -> None:
        """Something of a Pod has changed by itself; "" for any."""
        for worker in self._workers.values() if not uid else ():
            worker.wake()
        self.wake(uid)

    def _changed(self, change: Change) -> None:
        """The API server's Pod has come, changed or gone."""
        old, new = change.old, change.new
        if old is not None and (new is None or _uid(old) != _uid(new)):
            worker = self._workers.get(_uid(old))
            if worker is not None:
                worker.remove()
            self._wake_waiting()
        if new is None:
            return
        if shown := static_pods.shown_by(new):
            self._parts.statuses.look_again(shown)
            return
        self._parts.statuses.look_again(_uid(new))
        worker = self._workers.get(_uid(new))
        if worker is None:
            self._take(Subject.of(new))
        elif old is None or _matters(old, new):
            worker.update(Subject.of(new))

    def _take(self, subject: Subject) -> None:
        ended = subject.deleted or subject.phase in TERMINAL
        rejected = None if ended or was_admitted(subject.document) else self.rejection(subject)
        worker = self._workers[subject.uid] = PodWorker(self._parts, subject)
        if rejected is not None:
            self._parts.tell(subject.document, "Warning", rejected.reason, rejected.message)
            worker.end(rejected)
        elif ended:
            worker.update(subject)

    def rejection(self, subject: Subject) -> PodEnding | None:
        """Why the Pod is not admitted beside those that are."""
        taking = [worker for uid, worker in self._workers.items() if worker.takes_room and uid != subject.uid]
        others = [worker.state.subject.document for worker in taking]
        return admit(subject, self._parts.node, self._node(), others)

    def _wake_waiting(self) -> None:
        """A Pod has gone: there may be room for the resources that others wait for."""
        for worker in self._workers.values():
            if worker.state.resize.pending is not None:
                worker.wake()

    async def _end_unknown(self, known: frozenset[str]) -> None:
        """End what is left of Pods that the node does not have any more: nobody knows how long they would be given."""
        runtime, options = self._parts.context.runtime, self._parts.context.options
        listed = await runtime.call(verbs.LIST_POD_SANDBOX, ListPodSandboxRequest())
        for sandbox in () if isinstance(listed, CriRefusal) else listed.items:
            uid = sandbox.labels.get(cri_names.POD_UID)
            if uid is not None and uid not in known:
                await runtime.call(verbs.REMOVE_POD_SANDBOX, RemovePodSandboxRequest(sandbox.id))
        gone = tuple(set(pod_verbs.names_in(options.pods)) - known)
        left = await self._parts.volumes.sweep(tuple(known))
        swept = await self._parts.context.engine.call(
            pod_verbs.SWEEP_PLACES, SweepRequest(options.pods, options.logs, tuple(known), gone)
        )
        for why in (*left, *((swept.message,) if isinstance(swept, CriRefusal) else swept.left)):
            self._parts.context.log.failed(f"something of a Pod is left: {why}")

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(_HOUSEKEEPING)
            for uid in [uid for uid, worker in self._workers.items() if worker.is_gone]:
                del self._workers[uid]

    def _go_on(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _created(pod: JsonObject) -> str:
    return text(member(pod, "metadata"), "creationTimestamp")


def _uid(pod: JsonObject) -> str:
    return text(member(pod, "metadata"), "uid")


def _matters(old: JsonObject, new: JsonObject) -> bool:
    """Whether more than the status has changed, or a condition in it that the Pod's readiness waits for."""
    if pod_conditions.gates(old) != pod_conditions.gates(new):
        return True
    metadata, before = member(new, "metadata"), member(old, "metadata")
    names = ("labels", "annotations", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
    return new.get("spec") != old.get("spec") or any(metadata.get(name) != before.get(name) for name in names)
