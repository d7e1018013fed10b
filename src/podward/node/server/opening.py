"""The server of a running node, strung together: its Pods, its runtime, its certificate, and who may call it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

from cryptography import x509

from podward.api import go_duration
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ContainerStatusRequest, ExecSyncRequest, ExecSyncResponse, ListPodSandboxRequest
from podward.api.cri_stats import PodSandboxStats
from podward.api.cri_status import ContainerStatus, PodSandboxFilter
from podward.api.identity import PodIdentity
from podward.api.json_value import JsonObject
from podward.client.connection import authorities
from podward.client.informer import Informer
from podward.documents.raw_fields import member
from podward.errors import InputError, NodeError
from podward.node import identities
from podward.node.context import NodeContext
from podward.node.server.callers import Callers
from podward.node.server.certificate import ServingCertificate
from podward.node.server.machine_figures import MachineFigures
from podward.node.server.serving import NodeServer
from podward.node.server.streams import Streams
from podward.node.statuses import Statuses
from podward.policy.kubelet import cri_names, static_pods
from podward.runtime.service import verbs
from podward.schema.validation.raw import text

_BACKLOG = 128


def listen(address: str, port: int) -> socket.socket:
    """The socket that the node is reached at. Raises NodeError."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        advice = "choose another --port (0: any free one), or another --node-ip"
        raise NodeError(f"cannot listen: {error.strerror}", where=f"{address}:{port}", advice=advice) from None


class _Host:
    """The node, as its server sees it."""

    def __init__(self, context: NodeContext, pods: Informer, statuses: Statuses, streams: Streams) -> None:
        self.name = context.options.name
        self.machine = MachineFigures(context.options.root)
        self.only_spdy = streams.only_spdy
        self._pod_directories = context.options.pods
        self._runtime = context.runtime
        self._pods = pods
        self._statuses = statuses
        self._streams = streams
        self.exec, self.attach, self.port_forward = streams.exec, streams.attach, streams.port_forward

    def pods(self) -> Sequence[JsonObject]:
        """The Pods that are bound to the node."""
        return [self._with_status(pod) for pod in self._pods.items()]

    def pod(self, namespace: str, name: str) -> JsonObject | None:
        """One of them."""
        found = self._pods.get(namespace, name)
        return None if found is None else self._with_status(found)

    def identities(self, uid: str) -> PodIdentity:
        """Who the processes of a Pod's containers are."""
        return identities.of_pod(self._pod_directories, uid, self.name)

    async def container_status(self, container: str) -> ContainerStatus | CriRefusal:
        """How a container is."""
        answer = await self._runtime.call(verbs.CONTAINER_STATUS, ContainerStatusRequest(container))
        if isinstance(answer, CriRefusal):
            return answer
        return answer.status or CriRefusal(CriCode.NOT_FOUND, f"there is no container {container}")

    async def sandbox_of(self, pod: JsonObject) -> str:
        """The id of the sandbox of a Pod that is ready; empty where there is none."""
        wanted = PodSandboxFilter(state="SANDBOX_READY", label_selector={cri_names.POD_UID: own_uid(pod)})
        answer = await self._runtime.call(verbs.LIST_POD_SANDBOX, ListPodSandboxRequest(wanted))
        found = () if isinstance(answer, CriRefusal) else answer.items
        return max(found, key=lambda each: each.created_at).id if found else ""

    async def exec_sync(self, request: ExecSyncRequest) -> ExecSyncResponse | CriRefusal:
        """What a command prints."""
        return await self._runtime.call(verbs.EXEC_SYNC, request)

    async def figures(self) -> Sequence[PodSandboxStats]:
        """What the Pods use."""
        return await self._streams.figures()

    def _with_status(self, pod: JsonObject) -> JsonObject:
        """The Pod with what we know of it, which may be newer than what the API server has heard."""
        known = self._statuses.of(own_uid(pod))
        return pod if known is None else {**pod, "status": {**member(pod, "status"), **known}}


def own_uid(pod: JsonObject) -> str:
    """The uid that the node knows a Pod by: that of a Pod of a file is not its mirror's."""
    return static_pods.shown_by(pod) or text(member(pod, "metadata"), "uid")


class Serving:
    """The server of a node, and what looks after it."""

    def __init__(self, context: NodeContext, pods: Informer, statuses: Statuses, streams: Streams) -> None:
        """Raises InputError."""
        options, identity = context.options, context.identity
        trusted = _trusted(options.kubeconfig)
        self._context = context
        self._streams = streams
        self._certificate = ServingCertificate(options.directory, options.name, [identity.address], trusted)
        callers = Callers(context.client, options.name, trusted)
        configuration: JsonObject = {
            "kind": "KubeletConfiguration",
            "port": identity.port,
            "maxPods": options.max_pods,
            "podPidsLimit": options.pod_max_pids,
            "imageGCHighThresholdPercent": options.images.high,
            "imageGCLowThresholdPercent": options.images.low,
            "imageMinimumGCAge": go_duration.text_of(options.images.least_age),
            "imageMaximumGCAge": go_duration.text_of(options.images.greatest_age),
        }
        self._server = NodeServer(_Host(context, pods, statuses, streams), callers, configuration, context.log.broke)
        self._keeping: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        """Serve who connects; the Node object is there."""
        await self._streams.start()
        await self._server.start(listener, self._certificate.context)
        self._keeping = asyncio.create_task(self._certificate.keep(self._context.client, self._context.log))

    async def close(self) -> None:
        """End every connection."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self._server.close()
        await self._streams.stop()


def _trusted(kubeconfig: str) -> list[x509.Certificate]:
    """The authorities of clients: the cluster's; none where the kubeconfig names none."""
    pem = authorities(kubeconfig)
    try:
        return x509.load_pem_x509_certificates(pem) if pem else []
    except ValueError:
        advice = "its certificate-authority is PEM"
        raise InputError("the authority of the cluster cannot be read", where=kubeconfig, advice=advice) from None
