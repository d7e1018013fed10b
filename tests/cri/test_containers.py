"""Containers as clients see them over the socket: their streams, figures, events, and that they survive the service."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from cri_server import Client, CriServer, RefusedError, container_config
from served_containers import IMAGE

from podward.api import cri_requests as cri
from podward.api import cri_stats_requests as of_stats
from podward.api.cri import LinuxPodSandboxConfig
from podward.api.cri_stats import ContainerStats
from podward.api.cri_status import ContainerEventResponse, ContainerStatsFilter
from podward.runtime import cri_messages as messages
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "crun", "conmon", "catatonit", "busybox")


def test_a_command_is_executed_and_its_output_and_code_come_back(client: Client, sandbox: str, image: str) -> None:
    container = client.start(sandbox, container_config(image, "sleep", "1000"))
    request = cri.ExecSyncRequest(container, ("sh", "-c", "echo out; echo err >&2; exit 3"), 30)
    assert client.ask(request, cri.ExecSyncResponse) == cri.ExecSyncResponse(b"out\n", b"err\n", 3)


def test_a_command_ends_with_its_client(client: Client, sandbox: str, image: str) -> None:
    container = client.start(sandbox, container_config(image, "sleep", "1000"))
    request = cri.ExecSyncRequest(container, ("sleep", "12345"))
    with pytest.raises(RefusedError) as caught:
        client.ask(request, cri.ExecSyncResponse, timeout=1)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    deadline = time.monotonic() + 20
    while running("sleep", "12345"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(*words: str) -> bool:
    """Whether a process of these words runs on this machine."""
    wanted = "\0".join((*words, "")).encode()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{entry}/cmdline").read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


async def streamed(url: str) -> tuple[bytes, dict[str, object]]:
    """What a program printed, and its end, over WebSocket."""
    printed, end = b"", {}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url.replace("http://", "ws://"), protocols=("v5.channel.k8s.io",)) as socket,
    ):
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY and message.data[:1] == b"\1":
                printed += message.data[1:]
            elif message.type is aiohttp.WSMsgType.BINARY and message.data[:1] == b"\3":
                end = json.loads(message.data[1:])
    return printed, end


def test_a_commands_streams_are_behind_a_url_that_counts_once(client: Client, sandbox: str, image: str) -> None:
    container = client.start(sandbox, container_config(image, "sleep", "1000"))
    request = cri.ExecRequest(container, ("sh", "-c", "echo streamed; exit 4"), stdout=True)
    url = client.ask(request, cri.ExecResponse).url
    assert url.startswith("http://127.0.0.1:")
    printed, end = asyncio.run(streamed(url))
    assert printed == b"streamed\n"
    assert end["status"] == "Failure"
    assert "exit code 4" in str(end["message"])
    with pytest.raises(aiohttp.WSServerHandshakeError):
        asyncio.run(streamed(url))


def test_whoever_attaches_reads_along(client: Client, sandbox: str, image: str) -> None:
    container = client.start(sandbox, container_config(image, "sh", "-c", "sleep 1; echo later", stdin=True))
    url = client.ask(cri.AttachRequest(container, stdout=True), cri.AttachResponse).url
    assert asyncio.run(streamed(url))[0] == b"later\n"


def test_what_does_not_run_has_no_streams(client: Client, sandbox: str, image: str) -> None:
    container = client.create(sandbox, container_config(image, "true"))
    with pytest.raises(RefusedError) as caught:
        client.ask(cri.ExecRequest(container, ("id",), stdout=True), cri.ExecResponse)
    assert caught.value.code == "FAILED_PRECONDITION"


# --- figures ----------------------------------------------------------------------------------------------------------


def figures_are_there(found: ContainerStats | None) -> bool:
    assert found is not None
    assert found.cpu is not None
    assert found.memory is not None
    assert found.writable_layer is not None
    return bool(found.cpu.timestamp and found.memory.timestamp and found.writable_layer.timestamp)


def test_a_container_has_figures_from_its_creation_on(client: Client, sandbox: str, image: str) -> None:
    container = client.create(sandbox, container_config(image, "sh", "-c", "echo x > /data/x; exec sleep 1000"))
    request = of_stats.ContainerStatsRequest(container)
    assert figures_are_there(client.ask(request, of_stats.ContainerStatsResponse).stats)
    client.ask(cri.StartContainerRequest(container), cri.StartContainerResponse)
    found = client.ask(request, of_stats.ContainerStatsResponse).stats
    assert figures_are_there(found)
    assert found is not None
    assert found.memory is not None
    assert (found.memory.working_set_bytes or 0) > 0


def test_figures_are_filtered_as_containers_are(client: Client, sandbox: str, image: str) -> None:
    for name in ("a", "b"):
        client.start(sandbox, container_config(image, "sleep", "1000", name=name, labels={"which": name}))

    def names(wanted: ContainerStatsFilter | None) -> list[str]:
        request = of_stats.ListContainerStatsRequest(wanted)
        listed = client.ask(request, of_stats.ListContainerStatsResponse).stats
        assert all(map(figures_are_there, listed))
        return [each.attributes.metadata.name for each in listed if each.attributes]

    assert names(None) == ["a", "b"]
    assert names(ContainerStatsFilter(label_selector={"which": "b"})) == ["b"]
    assert names(ContainerStatsFilter(pod_sandbox_id="f" * 64)) == []


def test_a_sandbox_has_the_figures_of_its_containers(client: Client, sandbox: str, image: str) -> None:
    client.start(sandbox, container_config(image, "sleep", "1000"))
    found = client.ask(of_stats.PodSandboxStatsRequest(sandbox), of_stats.PodSandboxStatsResponse).stats
    assert found is not None
    assert found.linux is not None
    assert [each.attributes.metadata.name for each in found.linux.containers if each.attributes] == ["app"]
    assert found.linux.process is not None
    assert found.linux.process.process_count == 1


@pytest.mark.needs("cni")
def test_a_pod_with_a_network_of_its_own_has_all_metrics_that_are_described(client: Client, image: str) -> None:
    sandbox = client.run_sandbox("netted", linux=LinuxPodSandboxConfig())
    try:
        client.start(sandbox, container_config(image, "sleep", "1000"), "netted")
        descriptors = client.ask(of_stats.ListMetricDescriptorsRequest(), of_stats.ListMetricDescriptorsResponse)
        answer = client.ask(of_stats.ListPodSandboxMetricsRequest(), of_stats.ListPodSandboxMetricsResponse)
        (pod,) = (each for each in answer.pod_metrics if each.pod_sandbox_id == sandbox)
        given = {each.name for each in (*pod.metrics, *pod.container_metrics[0].metrics)}
        missing = {each.name for each in descriptors.descriptors} - given
        # Without traffic to a disk or a kernel that counts pressure there is nothing to tell of these.
        assert [name for name in missing if not any(kind in name for kind in ("_fs_", "blkio", "pressure"))] == []
    finally:
        client.end(sandbox)


# --- events -----------------------------------------------------------------------------------------------------------


def test_a_containers_life_is_told_in_order(server: CriServer, client: Client, image: str) -> None:
    heard: list[ContainerEventResponse] = []
    listener = Client(server.socket)

    def listen() -> None:
        events = listener.stream("GetContainerEvents", cri.GetEventsRequest(), ContainerEventResponse, timeout=60)
        for event in events:
            heard.append(event)
            if event.container_event_type == "CONTAINER_DELETED_EVENT" and event.container_id == sandbox:
                return

    sandbox = ""
    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.5)
    sandbox = client.run_sandbox("told")
    container = client.start(sandbox, container_config(image, "sh", "-c", "exit 5"), "told")
    client.ended(container)
    client.ask(cri.RemoveContainerRequest(container), cri.RemoveContainerResponse)
    client.end(sandbox)
    thread.join(60)
    listener.close()
    assert not thread.is_alive()

    def kinds(identifier: str) -> list[str]:
        told = (each.container_event_type for each in heard if each.container_id == identifier)
        return [kind.removeprefix("CONTAINER_").removesuffix("_EVENT") for kind in told]

    assert kinds(container) == ["CREATED", "STARTED", "STOPPED", "DELETED"]
    assert kinds(sandbox) == ["CREATED", "STARTED", "STOPPED", "DELETED"]
    (stopped,) = (
        each
        for each in heard
        if each.container_id == container and each.container_event_type == "CONTAINER_STOPPED_EVENT"
    )
    assert stopped.pod_sandbox_status is not None
    assert stopped.pod_sandbox_status.id == sandbox
    assert [(each.id, each.exit_code) for each in stopped.containers_statuses] == [(container, 5)]


# --- survival ---------------------------------------------------------------------------------------------------------


def test_what_runs_survives_the_service_and_its_end_is_known_afterwards(
    own_server: Callable[..., CriServer], layout: str
) -> None:
    server = own_server()
    import_path(ImageStore(str(server.root)), layout)
    client = server.client
    sandbox = client.run_sandbox()
    runs = client.start(sandbox, container_config(IMAGE, "sleep", "1000", name="runs"))
    ends = client.start(sandbox, container_config(IMAGE, "sh", "-c", "sleep 2; exit 9", name="ends"))
    created = client.create(sandbox, container_config(IMAGE, "true", name="created"))
    before = client.status(runs)
    server.kill()
    time.sleep(2.5)
    server.restart()
    client = server.client
    assert client.status(runs) == before
    assert client.status(created).state == "CONTAINER_CREATED"
    ended = client.status(ends)
    assert (ended.state, ended.exit_code) == ("CONTAINER_EXITED", 9)
    answer = client.ask(cri.ExecSyncRequest(runs, ("echo", "still here")), cri.ExecSyncResponse)
    assert answer.stdout == b"still here\n"
    client.ask(cri.StartContainerRequest(created), cri.StartContainerResponse)
    assert client.ended(created).exit_code == 0


def test_a_stop_that_takes_long_does_not_hold_up_the_services_end(
    own_server: Callable[..., CriServer], layout: str
) -> None:
    server = own_server()
    import_path(ImageStore(str(server.root)), layout)
    sandbox = server.client.run_sandbox()
    stubborn = server.client.start(
        sandbox, container_config(IMAGE, "sh", "-c", "trap '' TERM; sleep 1000 & wait; wait")
    )
    sleeps = cri.ExecSyncRequest(stubborn, ("busybox", "pidof", "sleep"))  # so the signal is ignored by now
    deadline = time.monotonic() + 20
    while server.client.ask(sleeps, cri.ExecSyncResponse).exit_code:
        assert time.monotonic() < deadline
    with pytest.raises(RefusedError):
        server.client.ask(cri.StopContainerRequest(stubborn, 3600), cri.StopContainerResponse, timeout=0.5)
    began = time.monotonic()
    assert server.stop()[0] == 0
    assert time.monotonic() - began < 20
    server.restart()
    server.client.ask(cri.StopContainerRequest(stubborn, 0), cri.StopContainerResponse)
    assert server.client.status(stubborn).state == "CONTAINER_EXITED"


def test_a_message_of_the_clients_is_kept_as_it_was(client: Client, sandbox: str, image: str) -> None:
    config = container_config(image, "sleep", "1000", annotations={"a": "ä\n"}, labels={"io.x/y": "z"})
    status = client.status(client.create(sandbox, config))
    assert (status.metadata, status.labels, status.annotations) == (config.metadata, config.labels, config.annotations)
    assert messages.message(status).ByteSize() > 0
