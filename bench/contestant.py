"""A CRI runtime behind a socket, as a gRPC client sees it: its verbs one after the other, and how long each takes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import grpc
from cri_api.v1 import api_pb2 as cri
from cri_api.v1 import api_pb2_grpc

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PODWARD = os.environ.get("PODWARD_COMMAND", f"{ROOT}/build/env/bin/podward")
IMAGE = "docker.io/library/busybox:root"
STEPS = ("sandbox", "create", "start", "exec", "stop and remove", "sandbox with a network")
SECONDS = 60


class Contestant:
    """A CRI runtime behind a socket."""

    def __init__(self, name: str, endpoint: str, image: str) -> None:
        self.name = name
        self.image = image
        self.taken: dict[str, list[float]] = {step: [] for step in STEPS}
        self._runtime = api_pb2_grpc.RuntimeServiceStub(grpc.insecure_channel(endpoint))

    @contextlib.contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Note how long what is inside takes, in milliseconds."""
        began = time.perf_counter()
        yield
        self.taken[step].append((time.perf_counter() - began) * 1000)

    def round(self) -> None:
        """One of everything."""
        with self.timed("sandbox"):
            pod, config = self.sandbox(cri.NODE)
        with self.timed("create"):
            container = self.create(pod, config)
        with self.timed("start"):
            self._runtime.StartContainer(cri.StartContainerRequest(container_id=container), timeout=SECONDS)
        with self.timed("exec"):
            request = cri.ExecSyncRequest(container_id=container, cmd=["true"], timeout=SECONDS)
            if self._runtime.ExecSync(request, timeout=SECONDS).exit_code:
                raise SystemExit(f"{self.name}: true did not succeed")
        with self.timed("stop and remove"):
            self.remove(pod)
        with self.timed("sandbox with a network"):
            pod, _ = self.sandbox(cri.POD)
        self.remove(pod)

    def pod(self) -> str:
        """A Pod with one container that runs; the sandbox's id."""
        pod, config = self.sandbox(cri.NODE)
        container = self.create(pod, config)
        self._runtime.StartContainer(cri.StartContainerRequest(container_id=container), timeout=SECONDS)
        return pod

    def sandbox(self, network: int) -> tuple[str, cri.PodSandboxConfig]:
        """A new sandbox's id, with its configuration."""
        unique = uuid.uuid4().hex
        config = cri.PodSandboxConfig(
            metadata=cri.PodSandboxMetadata(name=f"bench-{unique}", uid=unique, namespace="bench", attempt=1),
            hostname="" if network == cri.NODE else "bench",
            linux=cri.LinuxPodSandboxConfig(
                security_context=cri.LinuxSandboxSecurityContext(
                    namespace_options=cri.NamespaceOption(network=network, pid=cri.CONTAINER)
                )
            ),
        )
        request = cri.RunPodSandboxRequest(config=config)
        return self._runtime.RunPodSandbox(request, timeout=SECONDS).pod_sandbox_id, config

    def create(self, pod: str, config: cri.PodSandboxConfig) -> str:
        """A new container's id; it sleeps."""
        container = cri.ContainerConfig(
            metadata=cri.ContainerMetadata(name="ctr", attempt=1),
            image=cri.ImageSpec(image=self.image),
            command=["sleep", "600"],
            linux=cri.LinuxContainerConfig(
                security_context=cri.LinuxContainerSecurityContext(
                    namespace_options=config.linux.security_context.namespace_options
                )
            ),
        )
        request = cri.CreateContainerRequest(pod_sandbox_id=pod, config=container, sandbox_config=config)
        return self._runtime.CreateContainer(request, timeout=SECONDS).container_id

    def remove(self, pod: str) -> None:
        """Stop and remove a sandbox with its containers, without waiting for those that do not hear."""
        wanted = cri.ContainerFilter(pod_sandbox_id=pod)
        for container in self._runtime.ListContainers(cri.ListContainersRequest(filter=wanted)).containers:
            self._runtime.StopContainer(cri.StopContainerRequest(container_id=container.id, timeout=0), timeout=SECONDS)
        self._runtime.StopPodSandbox(cri.StopPodSandboxRequest(pod_sandbox_id=pod), timeout=SECONDS)
        self._runtime.RemovePodSandbox(cri.RemovePodSandboxRequest(pod_sandbox_id=pod), timeout=SECONDS)


@contextlib.contextmanager
def podward(directory: str) -> Iterator[tuple[str, int]]:
    """`podward cri` with a state of its own and the image; its endpoint and its pid."""
    environment = {**os.environ, "PODWARD_ROOT": f"{directory}/podward"}
    builder = [f"{os.path.dirname(PODWARD)}/python", f"{ROOT}/examples/images/build_images.py"]
    subprocess.run(builder, check=True, env=environment, stdout=subprocess.DEVNULL)
    endpoint = f"unix://{directory}/cri.sock"
    server = subprocess.Popen([PODWARD, "cri", "--listen", endpoint], env=environment, stdout=subprocess.PIPE)
    try:
        if server.stdout is None or not server.stdout.readline():
            raise SystemExit("bench/cri: the server did not start")
        yield endpoint, server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
