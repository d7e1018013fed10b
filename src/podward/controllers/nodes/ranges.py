"""The node IPAM controller: the ranges of Pods' addresses that Nodes get.

Specification: Kubernetes, pkg/controller/nodeipam/ipam/range_allocator.go and cidrset: the cluster's range is divided
into ranges of one size; a Node without one gets the next free one after that which was given last, and keeps it.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.nodes.lifecycle import ACCOUNT, NODES
from podward.documents.raw_fields import member
from podward.errors import UsageError
from podward.schema.validation.raw import text, texts

Network = IPv4Network | IPv6Network
_NOT_FOUND = 404


class Ranges:
    """The ranges of a cluster, and whose they are."""

    def __init__(self, cluster: Network, bits: int) -> None:
        """`bits` is the length of the prefix of each. Raises UsageError where the cluster's range is too small."""
        if not cluster.prefixlen <= bits <= cluster.max_prefixlen:
            raise UsageError(
                f"the range {cluster} cannot be divided into ranges of /{bits}", where="--node-cidr-mask-size",
                advice="name a larger --cluster-cidr",
            )  # fmt: skip
        self._cluster, self._bits = cluster, bits
        self._count = 1 << (bits - cluster.prefixlen)
        self._taken: dict[str, str] = {}
        self._next = 0

    def note(self, node: str, written: str) -> None:
        """A Node has this range; empty: none any more."""
        if written:
            self._taken[node] = written
        else:
            self._taken.pop(node, None)

    def give(self, node: str) -> str | None:
        """A range for a Node; None where all are taken."""
        if node in self._taken:
            return self._taken[node]
        taken = [ip_network(each, strict=False) for each in self._taken.values()]
        for step in range(self._count):
            number = (self._next + step) % self._count
            found = self._numbered(number)
            if not any(type(each) is type(found) and each.overlaps(found) for each in taken):
                self._next = number + 1
                self._taken[node] = str(found)
                return self._taken[node]
        return None

    def _numbered(self, number: int) -> Network:
        first = int(self._cluster.network_address) + (number << (self._cluster.max_prefixlen - self._bits))
        return type(self._cluster)((first, self._bits))


async def make(context: Context) -> NodeRanges:
    """The controller of ranges; it gives none where the cluster has none."""
    return NodeRanges(context, await context.client_for(ACCOUNT))


class NodeRanges:
    """Gives ranges until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._nodes = context.informers.of(NODES)
        self._recorder = context.recorder(client, "cidrAllocator")
        self._queue = WorkQueue("node-ipam-controller", self._reconcile, workers=1)
        options = context.options
        self._ranges = (
            Ranges(ip_network(options.cluster_cidr), options.node_cidr_mask_size) if options.cluster_cidr else None
        )
        if self._ranges is not None:
            self._nodes.listeners.append(self._on_node)

    async def start(self) -> None:
        """Begin to give; all that have one are known by now."""
        self._queue.start()

    async def close(self) -> None:
        """Give no more."""
        await self._queue.close()

    def _on_node(self, change: Change) -> None:
        name = key_of(change.object)[1]
        written = text(member(change.new or {}, "spec"), "podCIDR")
        if self._ranges is not None and (written or change.new is None):
            self._ranges.note(name, written)
        elif change.new is not None:
            self._queue.add(name)

    async def _reconcile(self, name: str) -> Retry | None:
        node = self._nodes.get("", name)
        if node is None or self._ranges is None or texts(member(node, "spec"), "podCIDRs"):
            return None
        found = self._ranges.give(name)
        if found is None:
            self._recorder.event(node, "Normal", "CIDRNotAvailable", f"Node {name} status is now: CIDRNotAvailable")
            return Retry.LATER
        patch: JsonObject = {"spec": {"podCIDR": found, "podCIDRs": [found]}}
        answer = await self._client.patch(NODES, "", name, patch, PatchKind.STRATEGIC)
        return Retry.LATER if isinstance(answer, Status) and answer.code != _NOT_FOUND else None
