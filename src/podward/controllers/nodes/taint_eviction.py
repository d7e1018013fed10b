"""The taint eviction controller: Pods leave a Node whose taints of NoExecute they do not, or no longer, tolerate.

Specification: Kubernetes, pkg/controller/tainteviction: a Pod that does not tolerate all of these taints is deleted at
once; one that tolerates them for a while after the shortest of these times, counted from when that was first seen; one
that tolerates them for ever stays. A Pod whose Node is rid of its taints is not deleted any more.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from msgspec import ValidationError, convert

from podward.api.json_value import JsonObject
from podward.api.scheduling import Taint, Toleration
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.nodes.lifecycle import ACCOUNT, NODES, PODS
from podward.documents.raw_fields import member, objects
from podward.policy.scheduling.node_fit import NO_EXECUTE, tolerates_taint
from podward.schema.validation.raw import text

_NOT_FOUND = 404


def stays_for(tolerations: Sequence[Toleration], taints: Sequence[Taint]) -> float | None:
    """How long a Pod stays on a Node with these taints of NoExecute, in seconds; None: for ever."""
    least: float | None = None
    for taint in taints:
        matching = next((each for each in tolerations if tolerates_taint(each, taint)), None)
        if matching is None:
            return 0
        if (seconds := matching.toleration_seconds) is not None:
            least = max(0, seconds if least is None else min(least, seconds))
    return least


async def make(context: Context) -> TaintEviction:
    """The controller."""
    return TaintEviction(context, await context.client_for(ACCOUNT))


class TaintEviction:
    """Deletes Pods until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._nodes, self._pods = context.informers.of(NODES), context.informers.of(PODS)
        self._recorder = context.recorder(client, "taint-eviction-controller")
        self._queue = WorkQueue("taint-eviction-controller", self._reconcile)
        self._since: dict[str, float] = {}
        self._done: dict[str, str] = {}
        self._nodes.listeners.append(self._on_node)
        self._pods.listeners.append(self._on_pod)

    async def start(self) -> None:
        """Begin to delete."""
        self._queue.start()

    async def close(self) -> None:
        """Delete no more."""
        await self._queue.close()

    def _on_node(self, change: Change) -> None:
        before, after = (_taints(each) for each in (change.old, change.new))
        if change.new is None or before == after:
            return
        name = key_of(change.new)[1]
        for pod in self._pods.items():
            if member(pod, "spec").get("nodeName") == name:
                self._queue.add(_key(pod))

    def _on_pod(self, change: Change) -> None:
        key = _key(change.object)
        node = self._nodes.get("", text(member(change.object, "spec"), "nodeName"))
        if (node is not None and _taints(node)) or key in self._since or key in self._done:
            self._queue.add(key)

    async def _reconcile(self, key: str) -> float | Retry | None:
        """Delete a Pod whose time is over; or look again when it is."""
        namespace, _, name = key.partition("/")
        pod = self._pods.get(namespace, name)
        node = self._nodes.get("", text(member(pod or {}, "spec"), "nodeName"))
        taints = _taints(node)
        if pod is None:
            self._done.pop(key, None)
        stays = stays_for(_tolerations(pod), taints) if pod is not None else None
        if pod is None or stays is None:
            self._cancel(key)
            return None
        uid = text(member(pod, "metadata"), "uid")
        if self._done.get(key) == uid:
            return None
        now = time.monotonic()
        since = self._since.setdefault(key, now)
        if stays and now < since + stays:
            return since + stays - now
        self._tell(key, f"Marking for deletion Pod {key}")
        answer = await self._delete(pod)
        if isinstance(answer, Status) and answer.code >= 400 and answer.code != _NOT_FOUND:
            return Retry.LATER
        self._since.pop(key, None)
        self._done[key] = uid
        return None

    def _cancel(self, key: str) -> None:
        if self._since.pop(key, None) is not None:
            self._tell(key, f"Cancelling deletion of Pod {key}")

    def _tell(self, key: str, message: str) -> None:
        """Tell of a Pod as this controller names it: without its uid."""
        namespace, _, name = key.partition("/")
        about: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}}
        self._recorder.event(about, "Normal", "TaintManagerEviction", message)

    async def _delete(self, pod: JsonObject) -> JsonObject | Status:
        namespace, name = key_of(pod)
        condition: JsonObject = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint",
            "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "observedGeneration": member(pod, "metadata").get("generation"),
        }
        patch: JsonObject = {"status": {"conditions": [condition]}}
        answer = await self._client.patch(PODS, namespace, name, patch, PatchKind.STRATEGIC, "status")
        if isinstance(answer, Status):
            return answer
        options: JsonObject = {"preconditions": {"uid": member(pod, "metadata").get("uid")}}
        return await self._client.delete(PODS, namespace, name, options)


def _key(pod: JsonObject) -> str:
    return "/".join(key_of(pod))


def _taints(node: JsonObject | None) -> tuple[Taint, ...]:
    """The Node's taints of NoExecute."""
    found = objects(member(node or {}, "spec"), "taints")
    return tuple(convert(each, Taint) for each in found if each.get("effect") == NO_EXECUTE)


def _tolerations(pod: JsonObject) -> tuple[Toleration, ...]:
    try:
        return tuple(convert(each, Toleration) for each in objects(member(pod, "spec"), "tolerations"))
    except ValidationError:  # no API server stores such a one; it tolerates nothing
        return ()
