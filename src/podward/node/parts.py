"""What the workers of all Pods share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from podward.api.core import Container, Pod
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.node.context import NodeContext
from podward.node.images import Images
from podward.node.statuses import Statuses
from podward.node.volumes import Volumes
from podward.policy.kubelet.dns import PodDNS


class Verdicts(Struct, frozen=True):
    """What the probes say of a container's run; None where there is no verdict yet, or no such probe."""

    startup: bool | None = None
    liveness: bool | None = None
    readiness: bool | None = None


class Care(Protocol):
    """What is done with a container that runs: probes, and hooks at its beginning and its end."""

    def verdicts(self, uid: str, container: str, run: str) -> Verdicts:
        """What the probes say of this run."""

    def begin(self, document: JsonObject, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> None:
        """The container runs (again): have it probed."""

    def end(self, uid: str, container: str = "") -> None:
        """Probe a container no more; without a name, no container of the Pod."""

    async def post_start(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook after the start; what went wrong, or ""."""

    async def pre_stop(self, pod: Pod, container: Container, run: str, addresses: tuple[str, ...]) -> str:
        """The hook before the end; what went wrong, or ""."""


class Parts(Struct, frozen=True):
    """The node's parts; `node` are the facts that decide a Pod here, `runtime_name` stands before ids of containers.

    `dns_of` says what a Pod's resolv.conf is made of.
    """

    context: NodeContext
    node: Node
    volumes: Volumes
    images: Images
    statuses: Statuses
    care: Care
    runtime_name: str
    dns_of: Callable[[Pod], PodDNS]

    def tell(self, document: JsonObject, kind: str, reason: str, message: str, field: str = "") -> None:
        """An event of a Pod, or of the part of it at this path."""
        self.context.recorder.event(document, kind, reason, message, field)
