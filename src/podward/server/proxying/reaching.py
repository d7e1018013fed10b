"""How a server reaches others: nodes, Pods, what is behind Services."""

from __future__ import annotations

import ssl

from podward.server.node_metrics import NodeMetrics
from podward.server.proxying.nodes import NodeAccess, unverifying
from podward.server.proxying.passing import Passing


class Reaching:
    """The connections of a server to others, and what they are made with."""

    def __init__(self, nodes: NodeAccess | None) -> None:
        self.nodes = nodes
        self.passing = Passing()
        self.metrics = NodeMetrics(self.passing, lambda: self.node_tls)
        self.foreign = unverifying()
        """For Pods and Services, whose certificates nobody knows; they do not learn who comes."""

    @property
    def node_tls(self) -> ssl.SSLContext:
        """For nodes."""
        return self.foreign if self.nodes is None else self.nodes.tls

    async def close(self) -> None:
        """End all connections."""
        await self.passing.close()
