"""`podward cri` as an ordinary user: its Pods have the loopback device or the machine's network, and outlive it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from cri_server import Client, RefusedError, container_config, sandbox_config
from ordinary_user import HOME, OrdinaryUser

from podward.api import cri_requests as cri
from podward.api.cri import (
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    NamespaceOption,
    PodSandboxConfig,
)

pytestmark = pytest.mark.needs("root", "crun", "conmon", "catatonit", "busybox", "umoci", "newuidmap")
FIRST = 3_100_000_000
SAYS = "id -u; head -n 1 /proc/self/uid_map; set -- /proc/[0-9]*; echo $#; ls /sys/class/net; echo end; exec sleep 1000"
"""Who it is, which ids there are, how many processes and which network devices."""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> OrdinaryUser:
    return OrdinaryUser(61_621, tmp_path_factory.mktemp("cri"), f"{FIRST}:65536").with_images("busybox-root")


@pytest.fixture
def client(user: OrdinaryUser) -> Iterator[Client]:
    """A client of his server; nothing is left once it has ended."""
    with user.started("cri") as server:
        assert server.stdout is not None
        assert "listens on" in server.stdout.readline()
        made = Client(f"{user.directory}/run/podward/cri.sock")
        yield made
        remove_all(made)
        made.close()
    user.wait_for_the_end()


def remove_all(client: Client) -> None:
    for sandbox in client.ask(cri.ListPodSandboxRequest(), cri.ListPodSandboxResponse).items:
        client.ask(cri.StopPodSandboxRequest(sandbox.id), cri.StopPodSandboxResponse)
        client.ask(cri.RemovePodSandboxRequest(sandbox.id), cri.RemovePodSandboxResponse)


def printed(user: OrdinaryUser, container: str) -> list[str]:
    """The lines that the container has written by the time of the last one, which is `end`."""
    log, deadline = user.directory / f"logs/{container}.log", time.monotonic() + 30
    lines: list[str] = []
    while lines[-1:] != ["end"]:
        assert time.monotonic() < deadline, lines
        time.sleep(0.02)
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        lines = [line.split(" ", 3)[3] for line in text.splitlines()]
    return lines[:-1]


def sandbox_of(network: str) -> PodSandboxConfig:
    context = LinuxSandboxSecurityContext(namespace_options=NamespaceOption(network=network))
    return sandbox_config(linux=LinuxPodSandboxConfig(security_context=context), log_directory=f"{HOME}/logs")


def started(client: Client, network: str, pid: str, name: str) -> str:
    """A container of uid 1000 in a sandbox with this network; its process namespace is the Pod's, or its own."""
    sandbox = client.ask(cri.RunPodSandboxRequest(sandbox_of(network)), cri.RunPodSandboxResponse).pod_sandbox_id
    options = NamespaceOption(network=network, pid=pid)
    linux = LinuxContainerConfig(
        security_context=LinuxContainerSecurityContext(namespace_options=options, run_as_user=1000)
    )
    config = container_config("busybox:root", "sh", "-c", SAYS, linux=linux, log_path=f"{name}.log")
    request = cri.CreateContainerRequest(sandbox, config, sandbox_of(network))
    container = client.ask(request, cri.CreateContainerResponse).container_id
    client.ask(cri.StartContainerRequest(container), cri.StartContainerResponse)
    return container


@pytest.mark.parametrize(("network", "pid"), [("POD", "CONTAINER"), ("POD", "POD"), ("NODE", "CONTAINER")])
def test_a_container_runs_in_a_sandbox(user: OrdinaryUser, client: Client, network: str, pid: str) -> None:
    name = f"{network}-{pid}"
    started(client, network, pid, name)
    uid, id_map, processes, *devices = printed(user, name)
    assert uid == "1000"
    assert id_map.split() == ["0", str(user.uid), "1"]
    assert int(processes) == (2 if pid == "POD" else 1)  # the shell's own, and the one that holds the namespace
    assert devices == (["lo"] if network == "POD" else sorted(os.listdir("/sys/class/net")))


def test_limits_are_not_changed_where_nothing_has_any(client: Client) -> None:
    """The OCI runtime would write to the cgroup that the server itself is in."""
    container = started(client, "POD", "CONTAINER", "limited")
    with pytest.raises(RefusedError, match="no cgroups can be made here") as refused:
        client.ask(cri.UpdateContainerResourcesRequest(container), cri.UpdateContainerResourcesResponse)
    assert refused.value.code == "FAILED_PRECONDITION"


def test_pods_outlive_the_service(user: OrdinaryUser) -> None:
    socket = f"{user.directory}/run/podward/cri.sock"
    with user.started("cri") as server:
        assert server.stdout is not None
        server.stdout.readline()
        client = Client(socket)
        container = started(client, "POD", "CONTAINER", "lasting")
        client.close()
        server.kill()
    with user.started("cri") as server:
        assert server.stdout is not None
        server.stdout.readline()
        client = Client(socket)
        answer = client.ask(cri.ContainerStatusRequest(container), cri.ContainerStatusResponse)
        assert answer.status is not None
        assert answer.status.state == "CONTAINER_RUNNING"
        remove_all(client)
        client.close()
    user.wait_for_the_end()
    assert os.listdir(user.directory / ".local/share/podward/cri/sandboxes") == []
