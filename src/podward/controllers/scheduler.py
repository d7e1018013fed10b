"""The scheduler: gives each Pod that names it a node.

Specification: Kubernetes, pkg/scheduler/schedule_one.go, framework/plugins/defaultbinder, volumebinding and preemption:
one Pod after the other is placed, and bound while the next one is placed; what must be bound or made of its volumes is
so before it is bound itself. Who cannot be placed is told by an event and the condition PodScheduled; where Pods of a
lower priority can make room, they are ended, and the Pod waits for the node that it is promised.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time

from msgspec import convert

from podward.api.claim import LabelSelector
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client import connection
from podward.client.api import Client, PatchKind
from podward.client.event_series import SeriesRecorder
from podward.controllers.cluster_view import CLAIMS, PODS, VOLUMES, ClusterView
from podward.controllers.companions import Companions
from podward.controllers.context import Context
from podward.controllers.scheduling_queue import SchedulingQueue
from podward.documents.raw_fields import member, objects
from podward.policy.scheduling.choice import Choice, Cluster, Refusal, choose
from podward.policy.scheduling.claims import SELECTED_NODE, Plan, plan
from podward.policy.scheduling.facts import DEFAULT_SCHEDULER, PREEMPTED, PodFacts
from podward.policy.scheduling.pod_terms import waits_for
from podward.policy.scheduling.preemption import Budget, Preemption, preempt
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import number, text

_BUDGETS = BY_PLURAL["policy", "v1", "poddisruptionbudgets"]
_BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
_NOT_FOUND, _CONFLICT = 404, 409
_BINDING_SECONDS = 600.0
_NO_CLAIMS, _NO_STATE = "no new claims to deallocate", "not found"
"""What the plugin of dynamic resources says, which is asked for room before any Pod is: of a Pod without claims, and
where the Pod was refused before the plugin was asked about its claims."""

_log = logging.getLogger("podward.controllers")


async def make(context: Context) -> Scheduler:
    """The scheduler, as whom its kubeconfig says; without one, as the controllers' own caller."""
    file = context.options.scheduler_kubeconfig
    client = Client(connection.load(file), "kube-scheduler") if file else context.admin
    return Scheduler(context, client)


class Scheduler:
    """Places Pods until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        """`client` is who binds."""
        self._client, self._own = client, client is not context.admin
        self._recorder = SeriesRecorder(client, DEFAULT_SCHEDULER)
        self._queue = SchedulingQueue()
        self._view = ClusterView(context.informers, self._on_pod, self._queue.changed)
        self._companions = Companions(context.informers)
        self._budgets = context.informers.of(_BUDGETS)
        self._claims_changed = asyncio.Event()
        context.informers.of(CLAIMS).listeners.append(lambda _change: self._claims_changed.set())
        self._task: asyncio.Task[None] | None = None
        self._binding: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to place."""
        self._task = asyncio.create_task(self._place_all())

    async def close(self) -> None:
        """Place no more; what is being bound is bound."""
        for task in (self._task, *self._binding):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._queue.close()
        await self._recorder.close()
        if self._own:
            await self._client.close()

    def _on_pod(self, old: PodFacts | None, new: PodFacts | None) -> None:
        known = new if new is not None else old
        if known is None:
            return
        if new is None or new.node or new.ended or new.deleted or not _is_ours(new) or new.spec.scheduling_gates:
            self._queue.forget(known.uid)
            if new is not None and new.node and (old is None or not old.node):
                namespaces = self._view.namespaces
                self._queue.changed(lambda pod: waits_for(pod, new, namespaces))
        elif self._view.is_assumed(new.uid):
            return
        elif old is None or (old.spec, old.labels, old.requests) != (new.spec, new.labels, new.requests):
            self._queue.put(new)
        else:
            self._queue.note(new)

    async def _place_all(self) -> None:
        while True:
            pod, changes = await self._queue.next()
            try:
                await self._place(pod, changes)
            except Exception:  # noqa: BLE001 - one Pod must not keep the others from being placed
                _log.exception("Pod %s/%s cannot be placed", pod.namespace, pod.name)
                self._queue.failed(pod.uid, changes, again=True)

    async def _place(self, pod: PodFacts, changes: int) -> None:
        cluster = self._view.cluster()
        raw = self._raw(pod)
        found = choose(pod, cluster, () if raw is None else self._companions.of(raw))
        if isinstance(found, Refusal):
            await self._refuse(pod, cluster, found, changes)
            return
        name = _one_of(found, pod)
        node = next(each for each in cluster.nodes if each.name == name)
        wanted = plan(pod, node, cluster.storage)
        self._view.assume(pod, name)
        task = asyncio.create_task(self._bind(pod, name, wanted if isinstance(wanted, Plan) else Plan()))
        self._binding.add(task)
        task.add_done_callback(self._binding.discard)
        await asyncio.sleep(0)

    # --- binding -----------------------------------------------------------------------------------------------------

    async def _bind(self, pod: PodFacts, node: str, wanted: Plan) -> None:
        """Bind its volumes, then the Pod. Whatever keeps it from that, it is tried again."""
        try:
            why = "" if wanted.is_empty else await self._bind_volumes(pod, node, wanted)
            if not why:
                refused = await self._bind_pod(pod, node)
                if refused is None or refused.code == _NOT_FOUND:
                    self._queue.forget(pod.uid)
                    if refused is not None:
                        self._view.unassume(pod.uid)
                    return
                why = f'binding rejected: running Bind plugin "DefaultBinder": {refused.message}'
        except Exception:  # noqa: BLE001 - its node must not be kept for it for ever
            _log.exception("Pod %s/%s cannot be bound", pod.namespace, pod.name)
            why = "the Pod cannot be bound"
        self._view.unassume(pod.uid)
        await self._tell(pod, "SchedulerError", why, pod.nominated)
        self._queue.failed(pod.uid, -1, again=True)

    async def _bind_pod(self, pod: PodFacts, node: str) -> Status | None:
        binding: JsonObject = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod.name, "namespace": pod.namespace, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        answer = await self._client.create(PODS, pod.namespace, binding, "binding", pod.name)
        if isinstance(answer, Status) and answer.code >= 400:
            return answer
        raw = self._raw(pod)
        if raw is not None:
            message = f"Successfully assigned {pod.namespace}/{pod.name} to {node}"
            self._recorder.event(raw, ("Normal", "Scheduled", "Binding"), message)
        return None

    async def _bind_volumes(self, pod: PodFacts, node: str, wanted: Plan) -> str:
        """Have the volumes bound and made, and wait for that; why it fails. Meanwhile the Pod says where it will be."""
        if pod.nominated != node:
            expected: JsonObject = {"status": {"nominatedNodeName": node}}
            await self._client.patch(PODS, pod.namespace, pod.name, expected, PatchKind.STRATEGIC, "status")
        for claim, volume in wanted.bindings:
            found = self._view.claim(pod.namespace, claim)
            if found is None:
                return f'persistentvolumeclaim "{claim}" not found'
            reference: JsonObject = {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": pod.namespace,
                "name": claim,
                "uid": found.claim.metadata.uid or "",
                "resourceVersion": self._view.version_of_claim(pod.namespace, claim),
            }
            patch: JsonObject = {
                "metadata": {"annotations": {_BOUND_BY_CONTROLLER: "yes"}},
                "spec": {"claimRef": reference},
            }
            answer = await self._client.patch(VOLUMES, "", volume, patch)
            if isinstance(answer, Status):
                return answer.message
        for claim in wanted.provisions:
            annotation: JsonObject = {"metadata": {"annotations": {SELECTED_NODE: node}}}
            answer = await self._client.patch(CLAIMS, pod.namespace, claim, annotation)
            if isinstance(answer, Status):
                return answer.message
        try:
            async with asyncio.timeout(_BINDING_SECONDS):
                return await self._until_bound(pod, [*(claim for claim, _ in wanted.bindings), *wanted.provisions])
        except TimeoutError:
            return "binding volumes: context deadline exceeded"

    async def _until_bound(self, pod: PodFacts, names: list[str]) -> str:
        while True:
            self._claims_changed.clear()
            if self._raw(pod) is None:
                return f'pod "{pod.name}" not found'
            claims = [self._view.claim(pod.namespace, name) for name in names]
            if any(claim is None for claim in claims):
                return "a persistentvolumeclaim is gone"
            if all(claim is not None and claim.bound for claim in claims):
                return ""
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._claims_changed.wait(), 5)

    # --- refusing ----------------------------------------------------------------------------------------------------

    async def _refuse(self, pod: PodFacts, cluster: Cluster, refusal: Refusal, changes: int) -> None:
        found = preempt(pod, cluster, refusal, [_budget(raw) for raw in self._budgets.items()])
        sentence, node = refusal.sentence, ""
        if isinstance(found, Preemption):
            node = found.node
            self._view.nominate(pod, node)
        elif refusal.all_nodes:
            sentence += f" {_NO_STATE}"
        elif found and refusal.count:
            sentence += f" {_NO_CLAIMS}, preemption: {found}"
            node = pod.nominated if found.startswith("not eligible due to a terminating") else ""
        self._queue.failed(pod.uid, changes)
        await self._tell(pod, "Unschedulable", sentence, node)
        if isinstance(found, Preemption):
            await asyncio.gather(*(self._end(victim, pod, node) for victim in found.victims))
            for other in self._view.nominated_below(node, pod.priority):
                self._view.nominate(other, "")
                await self._client.patch(
                    PODS, other.namespace, other.name, {"status": {"nominatedNodeName": None}}, subresource="status"
                )

    async def _end(self, victim: PodFacts, pod: PodFacts, node: str) -> None:
        """End a Pod so that another one has room."""
        if victim.deleted or self._view.is_assumed(victim.uid):
            return
        raw = self._raw(victim)
        condition: JsonObject = {
            "observedGeneration": number(member(raw or {}, "metadata"), "generation") or None,
            "type": "DisruptionTarget",
            "status": "True",
            "reason": PREEMPTED,
            "message": f"{DEFAULT_SCHEDULER}: preempting to accommodate a higher priority pod",
            "lastTransitionTime": _moment(),
        }
        await self._client.patch(
            PODS, victim.namespace, victim.name, {"status": {"conditions": [condition]}}, PatchKind.STRATEGIC, "status"
        )
        options: JsonObject = {"preconditions": {"uid": victim.uid}}
        answer = await self._client.delete(PODS, victim.namespace, victim.name, options)
        if isinstance(answer, Status) and answer.code >= 400:
            return
        if raw is not None:
            told = ("Normal", "Preempted", "Preempting")
            self._recorder.event(raw, told, f"Preempted by pod {pod.uid} on node {node}")

    async def _tell(self, pod: PodFacts, reason: str, message: str, node: str) -> None:
        """Say why a Pod has no node: an event, and its status where that does not say so yet."""
        raw = self._raw(pod)
        if raw is None:
            return
        self._recorder.event(raw, ("Warning", "FailedScheduling", "Scheduling"), message)
        patch = status_patch(raw, reason, message, node, _moment())
        if patch:
            await self._client.patch(
                PODS, pod.namespace, pod.name, {"status": patch}, PatchKind.STRATEGIC, subresource="status"
            )

    def _raw(self, pod: PodFacts) -> JsonObject | None:
        found = self._view.pods.get(pod.namespace, pod.name)
        return found if found is not None and member(found, "metadata").get("uid") == pod.uid else None


def status_patch(raw: JsonObject, reason: str, message: str, node: str, moment: str) -> JsonObject:
    """What of a Pod's status changes when it could not be placed; `node` is where room is made for it."""
    status = member(raw, "status")
    told = next((each for each in objects(status, "conditions") if each.get("type") == "PodScheduled"), {})
    condition: JsonObject = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    patch: JsonObject = {}
    if any(told.get(name) != value for name, value in condition.items()):
        since = told.get("lastTransitionTime") if told.get("status") == "False" else None
        generation: Json = number(member(raw, "metadata"), "generation") or None
        patch["conditions"] = [
            {
                **condition,
                "lastTransitionTime": since or moment,
                "lastProbeTime": None,
                "observedGeneration": generation,
            }
        ]
    if text(status, "nominatedNodeName") != node:
        patch["nominatedNodeName"] = node or None
    return patch


def _is_ours(pod: PodFacts) -> bool:
    return (pod.spec.scheduler_name or DEFAULT_SCHEDULER) == DEFAULT_SCHEDULER


def _one_of(found: Choice, pod: PodFacts) -> str:
    """One of the best nodes: the promised one if it is among them, or else by chance."""
    return pod.nominated if pod.nominated in found.nodes else random.choice(found.nodes)  # noqa: S311 - no secret


def _budget(raw: JsonObject) -> Budget:
    selector = member(raw, "spec").get("selector")
    namespace = text(member(raw, "metadata"), "namespace")
    read = convert(selector, LabelSelector) if isinstance(selector, dict) else None
    return Budget(namespace, read, number(member(raw, "status"), "disruptionsAllowed"))


def _moment() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
