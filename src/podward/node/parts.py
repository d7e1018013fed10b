"""What the workers of all Pods share."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from podward.api.core import Pod
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.api.pod_seen import PodEnding
from podward.node.care import ContainerCare
from podward.node.context import NodeContext
from podward.node.images import Images
from podward.node.services.network import ServiceNetwork
from podward.node.statuses import Statuses
from podward.node.subject import Subject
from podward.node.volumes import Volumes
from podward.policy.kubelet.dns import PodDNS
from podward.policy.kubelet.pod_events import PodEvent


class Parts(Struct, frozen=True):
    """The node's parts; `node` are the facts that decide a Pod here, `runtime_name` stands before ids of containers.

    `dns_of` says what a Pod's resolv.conf is made of, `admit` why a Pod is not taken beside those that are here.
    """

    context: NodeContext
    node: Node
    volumes: Volumes
    images: Images
    statuses: Statuses
    care: ContainerCare
    network: ServiceNetwork
    runtime_name: str
    dns_of: Callable[[Pod], PodDNS]
    admit: Callable[[Subject], PodEnding | None]

    def event(self, document: JsonObject, event: PodEvent, field: str = "") -> None:
        """Tell it of a Pod, or of the part of it at this path."""
        self.tell(document, event.type, event.reason, event.message, field)

    def tell(self, document: JsonObject, kind: str, reason: str, message: str, field: str = "") -> None:
        """An event of a Pod, or of the part of it at this path."""
        self.context.recorder.event(document, kind, reason, message, field)
