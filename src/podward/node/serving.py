"""Serving: what an earlier node left is brought to its true state, the node is registered, until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable

from msgspec import structs

from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import RuntimeConfigRequest, StatusRequest, VersionRequest
from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.client.api import Client
from podward.client.connection import load
from podward.client.events import Recorder
from podward.client.informer import Informers
from podward.errors import NodeError
from podward.node import bootstrap, facts, machine_info
from podward.node.care import ContainerCare
from podward.node.context import NodeContext
from podward.node.identities import Identities
from podward.node.image_collection import ImageCollection
from podward.node.images import Images
from podward.node.log import Log
from podward.node.log_rotation import LogRotation
from podward.node.options import Options
from podward.node.own_runtime import OwnRuntime
from podward.node.parts import Parts
from podward.node.pods import Pods
from podward.node.registration import NODES, Registration
from podward.node.runtime import Runtime
from podward.node.server import opening
from podward.node.server.streams import OwnStreams, RemoteStreams
from podward.node.services.network import ServiceNetwork
from podward.node.started import Started
from podward.node.static_pods import StaticPods
from podward.node.statuses import PODS, Statuses
from podward.node.volumes import Volumes
from podward.policy.kubelet.node_object import NodeIdentity
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import EngineClient
from podward.runtime.workers.lifetime import with_engine


def run(started: Started, say: Callable[[str], None]) -> int:
    """Serve; returns the exit code."""
    return asyncio.run(_main(started, say))


async def _main(started: Started, say: Callable[[str], None]) -> int:
    engine, log = EngineClient[RuntimeService](*started.engine), Log()
    async with with_engine(engine) as end:
        serving = asyncio.create_task(_serve(started, engine, log, say))
        coming = asyncio.create_task(end.comes())
        await asyncio.wait([serving, coming], return_when=asyncio.FIRST_COMPLETED)
        coming.cancel()
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        return end.exit_code(log.failed)


async def _serve(started: Started, engine: EngineClient[RuntimeService], log: Log, say: Callable[[str], None]) -> None:
    """Serve until cancelled."""
    options = started.options
    if options.bootstrap_kubeconfig:
        await bootstrap.ensure(options.kubeconfig, options.bootstrap_kubeconfig, options.name)
    identity = _identity(options)
    listener = opening.listen(identity.address, identity.port)
    context = _context(started, engine, log, structs.replace(identity, port=listener.getsockname()[1]))
    registration = Registration(context)
    name = await _runtime_name(context)
    running = _Running(context, await _node(context, started.service), name, registration.changed)
    streams = RemoteStreams(context.runtime) if context.options.endpoint else OwnStreams(started.service, engine)
    server = opening.Serving(context, running.informer, running.statuses, streams)
    renewing: asyncio.Task[None] | None = None
    try:
        await context.runtime.start(running.heard)
        await registration.start(register=context.options.register)
        await running.start()
        await server.start(listener)
        renewing = asyncio.create_task(bootstrap.keep(context.client, options.kubeconfig, options.name, context.log))
        gc.collect()
        gc.freeze()
        gc.enable()
        say(context.options.name)
        await asyncio.Event().wait()
    finally:
        if renewing is not None:
            renewing.cancel()
        await server.close()
        listener.close()
        await running.close()
        await registration.close()
        await context.informers.close()
        await context.recorder.close()
        await context.runtime.close()
        await context.client.close()


class _Running:
    """The parts that have the node's Pods run."""

    def __init__(self, context: NodeContext, node: Node, name: str, images_changed: Callable[[], None]) -> None:
        """`name` is the runtime's."""
        informer = self.informer = context.informers.of(PODS, fields=f"spec.nodeName={context.options.name}")
        self._context = context
        self._network = ServiceNetwork(context)
        self._logs = LogRotation(context)
        self._collection = ImageCollection(context, images_changed)
        self._parts = Parts(
            context=context,
            node=node,
            volumes=Volumes(
                context.client,
                context.engine,
                node,
                context.options.pods,
                record=context.recorder.event,
                changed=lambda uid: self._pods.wake(uid),  # noqa: PLW0108 - it is made below
                mounts=not context.options.endpoint,
            ),
            images=Images(context.runtime, images_changed),
            statuses=Statuses(context.client, informer, context.log),
            care=ContainerCare(
                context.runtime,
                context.recorder.event,
                lambda uid: self._pods.probed(uid),  # noqa: PLW0108 - as above
                Identities(context.runtime, context.engine, node, context.options.pods, context.recorder.event),
            ),
            network=self._network,
            runtime_name=name,
            dns_of=lambda pod: facts.dns_of(context.options, pod),
            admit=lambda subject: self._pods.rejection(subject),  # noqa: PLW0108 - it is made below
        )
        self.statuses = self._parts.statuses
        own = context.informers.of(NODES, fields=f"metadata.name={context.options.name}")

        def node_object() -> JsonObject:
            return own.get("", context.options.name) or {}

        self._pods = Pods(self._parts, informer, node_object)
        self._static = StaticPods(context, informer, node_object) if context.options.manifest_path else None

    def heard(self, uid: str) -> None:
        """Something of a Pod has changed by itself."""
        self._pods.heard(uid)

    async def start(self) -> None:
        """Take the Pods that there are."""
        await self._network.start()
        await self._context.informers.start()
        self._parts.volumes.start()
        self._parts.statuses.start()
        await self._pods.start(self._static.read() if self._static is not None else ())
        if self._static is not None:
            self._static.start(self._pods)
        self._logs.start()
        await self._collection.start()

    async def close(self) -> None:
        """Do nothing more; what runs goes on."""
        await self._collection.close()
        await self._logs.close()
        if self._static is not None:
            await self._static.close()
        await self._pods.close()
        await self._parts.care.close()
        await self._parts.statuses.close()
        await self._parts.volumes.close()
        await self._network.close()


async def _runtime_name(context: NodeContext) -> str:
    """What stands before the ids of containers. Raises NodeError where the runtime does not answer."""
    answer = await context.runtime.version(VersionRequest("0.1.0"))
    if isinstance(answer, CriRefusal):
        raise _silent(answer)
    return answer.runtime_name


async def _node(context: NodeContext, service: RuntimeService) -> Node:
    """The facts that decide Pods. Raises NodeError where the runtime does not answer, or cannot serve this node."""
    node = facts.of_node(context.options, service, context.identity.address)
    if not context.options.endpoint:
        return node
    told = await context.runtime.status(StatusRequest())
    if isinstance(told, CriRefusal):
        raise _silent(told)
    configured = await context.runtime.configuration(RuntimeConfigRequest())
    if not isinstance(configured, CriRefusal):  # not every runtime has the verb
        facts.check_driver(configured)
    return facts.with_told(node, told)


def _silent(answer: CriRefusal) -> NodeError:
    advice = "start the runtime, or name its socket with --container-runtime-endpoint"
    return NodeError(f"the container runtime does not answer: {answer.message}", advice=advice)


def _context(started: Started, engine: EngineClient[RuntimeService], log: Log, identity: NodeIdentity) -> NodeContext:
    options = started.options
    client = Client(load(options.kubeconfig), f"podward-node/{options.name}")
    return NodeContext(
        options=options,
        identity=identity,
        machine=machine_info.gather(options.root),
        client=client,
        informers=Informers(client),
        recorder=Recorder(client, "kubelet", options.name),
        runtime=_runtime(started, engine),
        engine=engine,
        log=log,
    )


def _runtime(started: Started, engine: EngineClient[RuntimeService]) -> Runtime:
    if not started.options.endpoint:
        return OwnRuntime(started.service, engine, user_namespaces=started.user_namespaces)
    from podward.node.remote_runtime import RemoteRuntime  # gRPC only where it is used

    return RemoteRuntime(started.options.endpoint)


def _identity(options: Options) -> NodeIdentity:
    """Who the node is, with the address that it was given or has."""
    address = options.address or machine_info.own_address()
    return NodeIdentity(options.name, address, options.port, options.labels, options.taints, options.max_pods)
