"""The TTL controller: tells each kubelet by an annotation for how long it may remember Secrets and ConfigMaps.

Specification: Kubernetes, pkg/controller/ttl: the more Nodes there are, the longer; with up to a hundred not at all.
"""

from __future__ import annotations

from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.nodes.lifecycle import NODES
from podward.documents.raw_fields import member
from podward.schema.validation.raw import strings

TTL = "node.alpha.kubernetes.io/ttl"
_NOT_FOUND = 404
_BOUNDS = ((100, 0), (500, 15), (1000, 30), (2000, 60))
_LONGEST = 300


def ttl_of(count: int) -> str:
    """What the annotation says in a cluster of so many Nodes, in seconds."""
    return str(next((seconds for most, seconds in _BOUNDS if count <= most), _LONGEST))


async def make(context: Context) -> TTLController:
    """The controller."""
    return TTLController(context, await context.client_for("ttl-controller"))


class TTLController:
    """Annotates Nodes until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._nodes = context.informers.of(NODES)
        self._queue = WorkQueue("ttl-controller", self._reconcile, workers=1)
        self._nodes.listeners.append(self._on_node)

    async def start(self) -> None:
        """Begin to annotate."""
        self._queue.start()

    async def close(self) -> None:
        """Annotate no more."""
        await self._queue.close()

    def _on_node(self, change: Change) -> None:
        if change.new is not None and not self._is_right(change.new):
            self._queue.add(key_of(change.new)[1])

    def _is_right(self, node: object) -> bool:
        return isinstance(node, dict) and strings(member(node, "metadata"), "annotations").get(TTL) == ttl_of(
            len(self._nodes)
        )

    async def _reconcile(self, name: str) -> Retry | None:
        node = self._nodes.get("", name)
        if node is None or self._is_right(node):
            return None
        answer = await self._client.patch(
            NODES, "", name, {"metadata": {"annotations": {TTL: ttl_of(len(self._nodes))}}}
        )
        return Retry.LATER if isinstance(answer, Status) and answer.code != _NOT_FOUND else None
