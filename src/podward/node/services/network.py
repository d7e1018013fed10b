"""Services on this node: who serves them in this network, the cluster's DNS, and what Pods are told of both.

Nodes on one machine share its netfilter: one of them serves, and another one when that one ends. What it serves is for
Pods of all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from urllib.parse import urlsplit

from msgspec import structs

from podward.api.core import Pod
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import UpdateRuntimeConfigRequest
from podward.api.cri_status import NetworkConfig, RuntimeConfig
from podward.api.service import EndpointSlice, Service
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, Informer, Informers, Key
from podward.documents.raw_fields import member, objects
from podward.node.context import NodeContext
from podward.node.services import lock
from podward.node.services.book import NODES, SERVICE_CIDRS, SERVICES, SLICES, MachineNodes, ServiceBook
from podward.node.services.health import HealthChecks
from podward.node.services.name_server import NameServer, is_local
from podward.node.services.network_policies import PolicyNotices
from podward.node.services.proxy import ServiceProxy
from podward.node.services.upstream import Upstream
from podward.node.services.verbs import (
    APPLY_RULES,
    FORGET_CONNECTIONS,
    SWEEP_RULES,
    ForgetRequest,
    RulesRequest,
    SweepRequest,
)
from podward.policy.dns.names import names_of
from podward.policy.dns.zone import Zone
from podward.policy.kubelet import service_environment
from podward.policy.kubelet.dns import WITHOUT_CLUSTER
from podward.policy.proxy.built_in import API_SERVICE, NO_ENDPOINT, BuiltIn
from podward.policy.proxy.forgotten import Flow
from podward.policy.proxy.health import health_checks
from podward.policy.proxy.routes import Machine, is_range
from podward.runtime.network import bridge, configuration
from podward.runtime.service import verbs
from podward.runtime.state import State

_AGAIN = 1.0
_CIDR_SECONDS = 10.0


class ServiceNetwork:
    """The node's part in the cluster's network."""

    def __init__(self, context: NodeContext) -> None:
        options = context.options
        self._context = context
        self._informers = Informers(context.client)
        self._services = context.informers.of(SERVICES)
        self._book = ServiceBook(self._services, self._informers.of(SLICES))
        self._nodes = MachineNodes(self._informers, options.name, context.identity.address)
        self._dns = next(filter(is_range, options.cluster_dns), "")
        self._own_pods: tuple[str, ...] = ()
        self._ranges: tuple[IPv4Network, ...] = ()
        self._service_ranges: tuple[str, ...] = ()
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._proxy: ServiceProxy | None = None

    # --- what Pods are told ------------------------------------------------------------------------------------------

    async def services_known(self) -> None:
        """Wait until it is known which Services there are."""
        await self._services.synced()

    def service_variables(self, pod: Pod) -> dict[str, str]:
        """The variables by which the Pod's containers are told of Services."""
        links = pod.spec.enable_service_links is not False
        namespace = pod.metadata.namespace or "default"
        return service_environment.variables(self._book.services.values(), namespace, links=links)

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin; the node's own Pods may start once `ready` returns."""
        if not self._dns:
            self._context.log.note(WITHOUT_CLUSTER)
        self._services.start()
        self._tasks = [asyncio.create_task(self._configure()), asyncio.create_task(self._serve())]

    async def ready(self) -> None:
        """Wait until Pods can be given addresses."""
        await self._ready.wait()

    async def close(self) -> None:
        """End: rules and names go, unless another node of this machine goes on with them; our bridge with its Pods."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._informers.close()
        if not self._context.options.endpoint:
            await self._tell_runtime("")

    # --- the range of Pods' addresses --------------------------------------------------------------------------------

    async def _configure(self) -> None:
        """Tell the runtime the range that the Node was given; without one for a while it takes one by itself."""
        nodes = self._informers.of(NODES)
        nodes.start()
        state = State(self._context.options.root)
        told = self._context.options.pod_cidr
        if not told and configuration.is_told(state):  # by a node before us
            told = configuration.own(state).subnet
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CIDR_SECONDS):
                told = told or await _found(nodes, self._nodes.pod_cidr)
        refused = await self._tell_runtime(told) if told else None
        if refused is not None:
            self._context.log.failed(f"the runtime does not take {told} for Pods' addresses: {refused.message}")
        if not self._context.options.endpoint and configuration.has_own(state):
            self._own_pods = (configuration.own(state).subnet,)
        self._ready.set()
        if self._proxy is not None:
            self._proxy.changed()

    async def _tell_runtime(self, cidr: str) -> CriRefusal | None:
        request = UpdateRuntimeConfigRequest(RuntimeConfig(NetworkConfig(cidr)))
        answer = await self._context.runtime.call(verbs.UPDATE_RUNTIME_CONFIG, request)
        return answer if isinstance(answer, CriRefusal) else None

    # --- serving -----------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        """Serve as soon as nobody else in this network does, until cancelled."""
        slices = self._informers.of(SLICES)
        slices.start()
        await self._services.synced()
        await slices.synced()
        uid = await _found(self._services, self._cluster_uid)
        table = f"{lock.TABLE}-{zlib.crc32(uid.encode()):08x}"
        while (held := lock.attempt(table)) is None:  # noqa: ASYNC110 - the kernel tells nobody that it is free
            await asyncio.sleep(_AGAIN)
        with held:
            await self._context.engine.call(SWEEP_RULES, SweepRequest(table))
            self._service_ranges = await _ranges_of_services(self._context.client)
            notices = PolicyNotices(self._context.recorder, self._informers)
            await notices.start(self._context.client)
            try:
                await self._serve_alone(table)
            finally:
                notices.close()

    async def _serve_alone(self, table: str) -> None:
        address = self._context.identity.address
        proxy = self._proxy = ServiceProxy(table, self, self._book, self._context.log)
        names = self._name_server()
        recorder = Recorder(self._context.client, "kube-proxy", self._context.options.name)
        checks = HealthChecks(self._context.options.name, lambda: proxy.healthy, recorder, self._context.log)

        async def check(services: list[Service], slices: list[EndpointSlice], machine: Machine) -> None:
            await checks.sync(health_checks(services, slices, machine))

        proxy.loaded = check
        try:
            known = (address, await names.start(address)) if self._dns else NO_ENDPOINT
            server = _endpoint(self._context.client.connection.server)
            if self._context.options.endpoint and server[0].startswith("127."):
                server = NO_ENDPOINT  # bridges of others do not lead to loopback addresses
            built_in = BuiltIn(self._dns, known, server)
            self._nodes.listeners.append(proxy.changed)
            await proxy.start(self._machine, built_in)
            await asyncio.Event().wait()
        finally:
            await names.close()
            await asyncio.shield(proxy.close())
            await checks.close()
            await recorder.close()

    def _cluster_uid(self) -> str:
        """What tells this cluster from others: the uid of the API server's Service."""
        service = self._services.get(*API_SERVICE)
        uid = member(service, "metadata").get("uid") if service is not None else ""
        return uid if isinstance(uid, str) else ""

    def _machine(self) -> Machine:
        machine = self._nodes.machine(
            pods=self._own_pods, services=self._service_ranges, bridged=bridge.passes_netfilter()
        )
        if self._context.options.endpoint:  # that runtime gives addresses of ranges of its own
            machine = structs.replace(machine, pods=())
        self._ranges = tuple(IPv4Network(each, strict=False) for each in machine.pods)
        return machine

    def _name_server(self) -> NameServer:
        zone = Zone(self._context.options.cluster_domain, self._dns)

        def put(key: Key) -> None:
            service: Service | None = self._book.services.get(key)
            zone.put(*key, names_of(service, self._book.of(key)) if service is not None else None)

        for key in self._book.services:
            put(key)
        self._book.listeners.append(put)
        upstream = Upstream(frozenset(self._context.options.cluster_dns))
        server = NameServer(zone, upstream, self._may_ask, self._context.log)
        server.ready = True
        return server

    def _may_ask(self, address: str) -> bool:
        """Whether names are told to this address: one of Pods, or of this machine."""
        try:
            asker = IPv4Address(address)
        except AddressValueError:
            return False
        if any(asker in each for each in self._ranges):
            return True
        return is_local(address) or (not self._ranges and asker.is_private)

    # --- the kernel's rules ------------------------------------------------------------------------------------------

    async def apply(self, commands: str) -> str:
        """Have commands of one transaction of nft done; what was said against them."""
        answer = await self._context.engine.call(APPLY_RULES, RulesRequest(commands))
        return answer.message if isinstance(answer, CriRefusal) else answer.refused

    async def forget(self, flows: tuple[Flow, ...]) -> None:
        """Forget UDP connections."""
        await self._context.engine.call(FORGET_CONNECTIONS, ForgetRequest(flows))


async def _found(informer: Informer, look: Callable[[], str]) -> str:
    """What is looked for among an informer's objects, as soon as it is there."""
    heard = asyncio.Event()

    def hear(change: Change) -> None:
        del change
        heard.set()

    informer.listeners.append(hear)
    try:
        while not (found := look()):
            await heard.wait()
            heard.clear()
        return found
    finally:
        informer.listeners.remove(hear)


async def _ranges_of_services(client: Client) -> tuple[str, ...]:
    """The ranges that Services have their addresses of; none where the node may not know them."""
    answer = await client.list(SERVICE_CIDRS)
    if isinstance(answer, Status):
        return ()
    listed = [member(each, "spec").get("cidrs") for each in objects(answer, "items")]
    words = [word for cidrs in listed if isinstance(cidrs, list) for word in cidrs]
    return tuple(word for word in words if isinstance(word, str) and is_range(word))


def _endpoint(url: str) -> tuple[str, dict[str, int]]:
    """The address and port of a server, where its URL has an IPv4 address."""
    parts = urlsplit(url)
    try:
        return str(IPv4Address(parts.hostname or "")), {"TCP": parts.port or 443}
    except ValueError:
        return NO_ENDPOINT
