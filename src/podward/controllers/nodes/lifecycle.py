"""The node lifecycle controller: hears of Nodes, marks those that it does not hear of, and keeps their taints true.

Specification: Kubernetes, pkg/controller/nodelifecycle: every 5 s it looks for Nodes of which neither the status nor
the Lease has changed within the grace period, by this process's own clock. Pods of a Node that was ready and is not
heard of any more are not ready; what a kubelet says itself of its Node it says of its Pods, too. A Node has the older
labels of its system and architecture beside the newer ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.nodes import life
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

NODES, PODS = BY_PLURAL["", "v1", "nodes"], BY_PLURAL["", "v1", "pods"]
LEASES = BY_PLURAL["coordination.k8s.io", "v1", "leases"]
_LEASE_NAMESPACE = "kube-node-lease"
_EVERY, _NOT_FOUND = 5.0, 404
ACCOUNT = "node-controller"


class _Heard(Struct):
    """When a Node was last heard of, and of which Ready condition and Lease that is."""

    at: float
    told: object = None
    renewed: str = ""


async def make(context: Context) -> NodeLifecycle:
    """The controller."""
    return NodeLifecycle(context, await context.client_for(ACCOUNT))


class NodeLifecycle:
    """Watches over Nodes until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._grace = context.options.node_monitor_grace_period
        self._nodes = context.informers.of(NODES)
        self._pods = context.informers.of(PODS)
        self._leases = context.informers.of(LEASES, _LEASE_NAMESPACE)
        self._recorder = context.recorder(client, ACCOUNT)
        self._queue = WorkQueue("node-lifecycle-controller", self._reconcile)
        self._heard: dict[str, _Heard] = {}
        self._task: asyncio.Task[None] | None = None
        self._nodes.listeners.append(self._on_node)
        self._leases.listeners.append(self._on_lease)

    async def start(self) -> None:
        """Begin to watch."""
        self._queue.start()
        self._task = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._queue.close()

    def _on_node(self, change: Change) -> None:
        name = key_of(change.object)[1]
        if change.new is None:
            self._heard.pop(name, None)
            self._tell(change.object, "RemovingNode", f"Removing Node {name} from Controller")
            return
        heard = self._heard.get(name)
        if heard is None:
            self._heard[name] = heard = _Heard(time.monotonic())
            self._tell(change.new, "RegisteredNode", f"Registered Node {name} in Controller")
        ready = life.condition(change.new, "Ready") or {}
        told = (ready.get("lastHeartbeatTime"), ready.get("status"))
        if told != heard.told and ready.get("status") != "Unknown":
            heard.told, heard.at = told, time.monotonic()
        self._queue.add(name)

    def _on_lease(self, change: Change) -> None:
        heard = self._heard.get(key_of(change.object)[1])
        renewed = text(member(change.object, "spec"), "renewTime")
        if heard is not None and change.new is not None and renewed != heard.renewed:
            heard.renewed, heard.at = renewed, time.monotonic()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(_EVERY, self._grace / 2))
            latest = time.monotonic() - self._grace
            for name, heard in self._heard.items():
                if heard.at < latest:
                    self._queue.add(name)

    async def _reconcile(self, name: str) -> Retry | None:
        """Have a Node's conditions, taints and Pods say what is known of it."""
        node, heard = self._nodes.get("", name), self._heard.get(name)
        if node is None or heard is None:
            return None
        if heard.at < time.monotonic() - self._grace and (changed := life.unheard_of(node, _moment())):
            patch: JsonObject = {"status": {"conditions": changed}}
            answer = await self._client.patch(NODES, "", name, patch, PatchKind.STRATEGIC, "status")
            if not isinstance(answer, Status) and (life.condition(node, "Ready") or {}).get("status") == "True":
                self._recorder.event(node, "Normal", "NodeNotReady", f"Node {name} status is now: NodeNotReady")
                await self._mark_pods(name)
            return _again(answer)
        if labels := life.older_labels(node):
            return _again(await self._client.patch(NODES, "", name, {"metadata": {"labels": labels}}))
        taints = life.taints(node, _moment())
        if taints is None:
            return None
        version = member(node, "metadata").get("resourceVersion")
        patch = {"metadata": {"resourceVersion": version}, "spec": {"taints": taints}}
        return _again(await self._client.patch(NODES, "", name, patch))

    async def _mark_pods(self, node: str) -> None:
        """The Pods of a Node that is not ready are not ready."""
        for pod in self._pods.items():
            ready = life.condition(pod, "Ready")
            if member(pod, "spec").get("nodeName") != node or ready is None or ready.get("status") != "True":
                continue
            changed: JsonObject = {**ready, "status": "False", "lastTransitionTime": _moment()}
            namespace, name = key_of(pod)
            patch: JsonObject = {"status": {"conditions": [changed]}}
            answer = await self._client.patch(PODS, namespace, name, patch, PatchKind.STRATEGIC, "status")
            if not isinstance(answer, Status):
                self._recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    def _tell(self, node: JsonObject, reason: str, message: str) -> None:
        self._recorder.event(node, "Normal", reason, f"Node {key_of(node)[1]} event: {message}")


def _again(answer: JsonObject | Status) -> Retry | None:
    return Retry.LATER if isinstance(answer, Status) and answer.code != _NOT_FOUND else None


def _moment() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
