"""The Node object: made, kept true, and the Lease that says that the node lives.

Specification (kubelet, `syncNodeStatus` and the lease controller, in our words): where there is no Node of the name it
is created; of one that is there the default labels and the capacity are set. The status is looked at every 10 seconds
and told when something changed, or after five minutes. The Lease in kube-node-lease lasts 40 seconds, is renewed every
10, and is owned by the Node. A node that cannot register tries again, for up to 7 seconds each time. What becomes
of the Node is told in events.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from podward.api.cri_image_requests import ListImagesRequest
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import StatusRequest, VersionRequest
from podward.api.cri_status import Image
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import PatchKind
from podward.node import clock
from podward.node.context import NodeContext
from podward.policy.kubelet import node_events, node_object
from podward.policy.kubelet.node_object import NodeSeen, RuntimeSeen
from podward.policy.kubelet.pod_events import PodEvent
from podward.runtime.service import verbs
from podward.schema.resources import BY_PLURAL

NODES = BY_PLURAL["", "v1", "nodes"]
LEASES = BY_PLURAL["coordination.k8s.io", "v1", "leases"]
LEASE_NAMESPACE = "kube-node-lease"
_LEASE_SECONDS, _RENEW_SECONDS = 40, 10.0
_REPORT_SECONDS = 300.0
"""After so long the status is told though nothing has changed."""
_NOT_FOUND = 404
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 7.0


class Registration:
    """Keeps the Node object and its Lease."""

    def __init__(self, context: NodeContext) -> None:
        self._client = context.client
        self._runtime = context.runtime
        self._identity = context.identity
        self._machine = context.machine
        self._log = context.log
        self._recorder = context.recorder
        self._seconds = context.options.status_seconds
        self._node: JsonObject = {}
        self._told_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    @property
    def node(self) -> JsonObject:
        """The Node object as it was last answered; empty before the node is registered."""
        return self._node

    async def start(self, *, register: bool) -> None:
        """Register, then keep the status and the Lease. Returns once the Node is there and its status was told."""
        pause = _FIRST_PAUSE
        self._record(node_events.STARTING)
        while (refused := await self._register(create=register)) is not None:
            self._log.failed(f"the node cannot be registered: {refused.message}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        await self._renew()
        self._tasks = [asyncio.create_task(self._keep_status()), asyncio.create_task(self._keep_lease())]

    def changed(self) -> None:
        """Look at the status now: an image has come or gone."""
        self._changed.set()

    async def close(self) -> None:
        """Keep nothing any more; the Lease runs out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _register(self, *, create: bool) -> Status | None:
        """Have the Node there with its status; what kept it from that."""
        name = self._identity.name
        found = await self._client.get(NODES, "", name)
        if isinstance(found, Status) and found.code == _NOT_FOUND and create:
            status = await self._status({})
            found = await self._client.create(NODES, "", node_object.registered(self._identity, self._machine, status))
            self._tell_events({}, {} if isinstance(found, Status) else status)
        if isinstance(found, Status):
            return found
        self._node = found
        return await self._set_labels() or await self._tell()

    async def _set_labels(self) -> Status | None:
        wanted = node_object.labels(self._identity, self._machine)
        metadata = self._node.get("metadata")
        have = metadata.get("labels") if isinstance(metadata, dict) else None
        missing = {
            name: value for name, value in wanted.items() if not isinstance(have, dict) or have.get(name) != value
        }
        if not missing:
            return None
        patch: JsonObject = {"metadata": {"labels": {**missing}}}
        answer = await self._client.patch(NODES, "", self._identity.name, patch, PatchKind.STRATEGIC)
        return answer if isinstance(answer, Status) else None

    async def _keep_status(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), self._seconds)
            self._changed.clear()
            refused = await self._tell()
            if refused is not None and refused.code == _NOT_FOUND:
                refused = await self._register(create=True)
            if refused is not None:
                self._log.failed(f"the node's status cannot be told: {refused.message}")

    async def _tell(self) -> Status | None:
        before = self._node.get("status")
        before = before if isinstance(before, dict) else {}
        after = await self._status(before)
        if not node_object.changes(before, after) and time.monotonic() < self._told_at + _REPORT_SECONDS:
            return None
        patch = node_object.patch(after)
        answer = await self._client.patch(NODES, "", self._identity.name, patch, PatchKind.STRATEGIC, "status")
        if isinstance(answer, Status):
            return answer
        self._node, self._told_at = answer, time.monotonic()
        self._tell_events(before, after)
        return None

    def _tell_events(self, before: JsonObject, after: JsonObject) -> None:
        for event in node_events.of(self._identity.name, before, after):
            self._record(event)

    def _record(self, event: PodEvent) -> None:
        self._recorder.event(node_events.about(self._identity.name), event.type, event.reason, event.message)

    async def _status(self, before: JsonObject) -> JsonObject:
        listed = await self._runtime.call(verbs.LIST_IMAGES, ListImagesRequest())
        images: tuple[Image, ...] = () if isinstance(listed, CriRefusal) else listed.images
        seen = await self._runtime_seen()
        return node_object.status(NodeSeen(self._identity, self._machine, seen, images), before, clock.now())

    async def _runtime_seen(self) -> RuntimeSeen:
        version = await self._runtime.version(VersionRequest("0.1.0"))
        if isinstance(version, CriRefusal):
            return RuntimeSeen(failure=version.message)
        status = await self._runtime.status(StatusRequest())
        if isinstance(status, CriRefusal):
            return RuntimeSeen(version.runtime_name, version.runtime_version, failure=status.message)
        return RuntimeSeen(version.runtime_name, version.runtime_version, status)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            refused = await self._renew()
            if refused is not None:
                self._log.failed(f"the node's Lease cannot be renewed: {refused.message}")

    async def _renew(self) -> Status | None:
        name = self._identity.name
        spec: JsonObject = {"renewTime": clock.micro_now()}
        answer = await self._client.patch(LEASES, LEASE_NAMESPACE, name, {"spec": spec})
        if isinstance(answer, Status) and answer.code == _NOT_FOUND:
            spec |= {"holderIdentity": name, "leaseDurationSeconds": _LEASE_SECONDS}
            made: JsonObject = {
                "apiVersion": LEASES.api_version,
                "kind": LEASES.kind,
                "metadata": {"name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [self._owner()]},
                "spec": spec,
            }
            answer = await self._client.create(LEASES, LEASE_NAMESPACE, made)
        return answer if isinstance(answer, Status) else None

    def _owner(self) -> JsonObject:
        metadata = self._node.get("metadata")
        uid = metadata.get("uid") if isinstance(metadata, dict) else ""
        return {"apiVersion": "v1", "kind": "Node", "name": self._identity.name, "uid": uid}
