"""A node whose containers are processes of this machine: the real server of a node, for a real API server."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from api_server import ADMIN, Server
from cryptography import x509
from streaming_clients import LocalProvider

from podward.api.cri_refusal import CriCode, CriRefusal
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
from podward.api.cri_stats import (
    ContainerAttributes,
    ContainerStats,
    CpuUsage,
    LinuxPodSandboxStats,
    MemoryUsage,
    PodSandboxAttributes,
    PodSandboxStats,
)
from podward.api.cri_status import ContainerStatus
from podward.api.identity import PodIdentity
from podward.api.json_value import JsonObject
from podward.client.api import Client
from podward.client.connection import Connection
from podward.node.server.callers import Callers
from podward.node.server.machine_figures import MachineFigures
from podward.node.server.serving import NodeServer
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.streaming.sessions import Session
from podward.server.own_authority import NODES, OwnAuthority

NODE = "n1"
Result = TypeVar("Result")


class FakeHost:
    """Its Pods are what tests put there; each container's id is its name."""

    name = NODE
    only_spdy = False

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.machine = MachineFigures(str(directory))
        self.objects: dict[tuple[str, str], JsonObject] = {}
        self.running: set[str] = set()
        self.provider = LocalProvider(self._attached)
        self.streams = StreamingServer(self.provider)
        self.stats: Sequence[PodSandboxStats] = ()

    def log(self, container: str) -> Path:
        """The log of a container."""
        return self.directory / f"{container}.log"

    def pods(self) -> Sequence[JsonObject]:
        return list(self.objects.values())

    def pod(self, namespace: str, name: str) -> JsonObject | None:
        return self.objects.get((namespace, name))

    def identities(self, uid: str) -> PodIdentity:
        return PodIdentity(uid, NODE)

    async def container_status(self, container: str) -> ContainerStatus | CriRefusal:
        if not self.log(container).exists():
            return CriRefusal(CriCode.NOT_FOUND, f"there is no container {container}")
        state = "CONTAINER_RUNNING" if container in self.running else "CONTAINER_EXITED"
        return ContainerStatus(container, state=state, log_path=str(self.log(container)))

    async def sandbox_of(self, pod: JsonObject) -> str:
        return "sandbox" if pod else ""

    async def exec(self, request: ExecRequest) -> ExecResponse | CriRefusal:
        url = self.streams.exec_url(request)
        return url if isinstance(url, CriRefusal) else ExecResponse(url)

    async def attach(self, request: AttachRequest) -> AttachResponse | CriRefusal:
        url = self.streams.attach_url(request)
        return url if isinstance(url, CriRefusal) else AttachResponse(url)

    async def port_forward(self, request: PortForwardRequest) -> PortForwardResponse | CriRefusal:
        url = self.streams.port_forward_url(request)
        return url if isinstance(url, CriRefusal) else PortForwardResponse(url)

    async def exec_sync(self, request: ExecSyncRequest) -> ExecSyncResponse | CriRefusal:
        return ExecSyncResponse(" ".join(request.cmd).encode(), b"", 0)

    async def figures(self) -> Sequence[PodSandboxStats]:
        return self.stats

    async def _attached(self) -> Session:
        return await self.provider.exec(ExecRequest("", ("cat",), stdin=True, stdout=True))


class FakeNode:
    """A node that is served in a thread of its own."""

    def __init__(self, server: Server, directory: Path, address: str = "127.0.0.1") -> None:
        self.host = FakeHost(directory)
        self._address = address
        self.failures: list[str] = []
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.port = self.do(self._start())

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have something done there."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def close(self) -> None:
        """End it."""
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> int:
        authority = OwnAuthority(str(self.server.data))
        pair = OwnAuthority(str(self.server.data), name=NODES).serving([self._address, NODE], f"system:node:{NODE}")
        file = self.host.directory / "serving.pem"
        file.write_bytes(pair.key + pair.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(file)
        tls.load_verify_locations(authority.certificate_file)
        tls.verify_mode = ssl.CERT_OPTIONAL
        context = ssl.create_default_context(cafile=authority.certificate_file)
        self._client = Client(Connection(self.server.url, context, context).as_bearer(ADMIN), "fake-node")
        authorities = x509.load_pem_x509_certificates(authority.pem)
        self._serving = NodeServer(self.host, Callers(self._client, NODE, authorities), {}, self._broke)
        await self.host.streams.start()
        listener = socket.create_server((self._address, 0))
        await self._serving.start(listener, tls)
        port: int = listener.getsockname()[1]
        return port

    def _broke(self, what: str, error: BaseException) -> None:
        self.failures.append(f"{what}: {error!r}")

    async def _close(self) -> None:
        await self._serving.close()
        await self.host.streams.stop()
        self.host.provider.end()
        await self._client.close()

    def register(self, address: str = "127.0.0.1") -> None:
        """Make the Node object."""
        status = {
            "addresses": [{"type": "InternalIP", "address": address}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
        }
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}, "status": status}
        code, answer, _ = self.server.ask("POST", "/api/v1/nodes", node)
        assert code == 201, answer

    def pod(self, name: str, *containers: str, **more: object) -> JsonObject:
        """Make a Pod that runs here: each of its containers is a process, whose name is its id."""
        spec = {"nodeName": NODE, "containers": [{"name": each, "image": "i", **more} for each in containers]}
        obj = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}
        code, answer, _ = self.server.ask("POST", "/api/v1/namespaces/default/pods", obj)
        assert code == 201, answer
        answer["status"] = {
            "phase": "Running",
            "podIP": "127.0.0.1",
            "podIPs": [{"ip": "127.0.0.1"}],
            "containerStatuses": [
                {
                    "name": each, "containerID": f"podward://{each}", "ready": True, "restartCount": 0, "image": "i",
                    "imageID": "i", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
                for each in containers
            ],
        }  # fmt: skip
        code, answer, _ = self.server.ask("PUT", f"/api/v1/namespaces/default/pods/{name}/status", answer)
        assert code == 200, answer
        made: JsonObject = answer
        self.host.objects["default", name] = made
        self.host.running.update(containers)
        return made


def stats_of(namespace: str, pod: str, container: str, *, nanoseconds: int, working_set: int) -> PodSandboxStats:
    """The figures of a Pod with one container."""
    labels = {
        "io.kubernetes.pod.name": pod,
        "io.kubernetes.pod.namespace": namespace,
        "io.kubernetes.container.name": container,
    }
    cpu = CpuUsage(10**18, nanoseconds, 0)
    memory = MemoryUsage(10**18, working_set)
    one = ContainerStats(ContainerAttributes(container, labels=labels), cpu, memory)
    return PodSandboxStats(
        PodSandboxAttributes("s", labels=labels), LinuxPodSandboxStats(cpu, memory, containers=(one,))
    )


@contextmanager
def serving(server: Server, directory: Path, address: str = "127.0.0.1") -> Iterator[FakeNode]:
    """A node that is there for a while."""
    node = FakeNode(server, directory, address)
    try:
        yield node
    finally:
        node.close()
    assert node.failures == []
