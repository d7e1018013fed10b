"""What the server of a node asks of the node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    AttachRequest,
    AttachResponse,
    ExecRequest,
    ExecResponse,
    ExecSyncRequest,
    ExecSyncResponse,
    PortForwardRequest,
    PortForwardResponse,
)
from podward.api.cri_stats import PodSandboxStats
from podward.api.cri_status import ContainerStatus
from podward.api.identity import PodIdentity
from podward.api.json_value import JsonObject
from podward.node.server.machine_figures import MachineFigures


class Host(Protocol):
    """A node. Pods are whole objects, with the status that the node knows itself."""

    name: str
    machine: MachineFigures
    only_spdy: bool
    """Whether the runtime serves nothing newer than SPDY, and WebSockets as they were before version 5."""

    def pods(self) -> Sequence[JsonObject]:
        """The Pods that are bound to the node."""

    def pod(self, namespace: str, name: str) -> JsonObject | None:
        """One of them."""

    def identities(self, uid: str) -> PodIdentity:
        """Who the processes of a Pod's containers are."""

    async def container_status(self, container: str) -> ContainerStatus | CriRefusal:
        """How a container is."""

    async def sandbox_of(self, pod: JsonObject) -> str:
        """The id of the sandbox of a Pod that is ready; empty where there is none."""

    async def exec(self, request: ExecRequest) -> ExecResponse | CriRefusal:
        """Where the streams of a command are served."""

    async def attach(self, request: AttachRequest) -> AttachResponse | CriRefusal:
        """Where the streams of a container are served."""

    async def port_forward(self, request: PortForwardRequest) -> PortForwardResponse | CriRefusal:
        """Where the ports of a Pod are served."""

    async def exec_sync(self, request: ExecSyncRequest) -> ExecSyncResponse | CriRefusal:
        """What a command prints."""

    async def figures(self) -> Sequence[PodSandboxStats]:
        """What the Pods use."""
