"""`podward cri --enable-nri` with a real plugin: what it is told and when, and what it changes in a real container."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import image_layout
import msgspec
import pytest
from cri_server import CriServer, RefusedError, container_config
from nri_plugin import Answer, PythonPlugin, Refuses
from served_containers import CONFIG, IMAGE, fill

from podward.api import cri_requests as cri
from podward.api.cri import LinuxContainerResources
from podward.api.nri import (
    ContainerAdjustment,
    ContainerUpdate,
    KeyValue,
    LinuxAdjustment,
    LinuxUpdate,
    Memory,
    Message,
    Mount,
    Resources,
)
from podward.cri.nri.messages import (
    ContainerRequest,
    CreateContainerResponse,
    SynchronizeRequest,
    UpdateContainerResponse,
    UpdateContainersRequest,
)
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
from podward.runtime.service.records import ContainerRecord

pytestmark = pytest.mark.needs("root", "crun", "conmon")
Made = TypeVar("Made", bound=Message)


class Stage:
    """The server, its plugin, and clients' calls."""

    def __init__(self, server: CriServer, socket: str) -> None:
        self.server = server
        self._socket = socket
        self.plugin = PythonPlugin(socket)
        self._plugins: list[PythonPlugin] = []

    async def connect(self, **answers: Answer) -> None:
        """The plugin with these answers, which knows what there is."""
        self.plugin = PythonPlugin(self._socket, "00-test", **answers)
        await self.plugin.connect()
        self._plugins.append(self.plugin)

    async def end(self) -> None:
        for plugin in self._plugins:
            await plugin.end()

    async def run(self) -> str:
        return await asyncio.to_thread(self.server.client.run_sandbox)

    async def create(self, sandbox: str, *command: str, name: str = "app", **members: object) -> str:
        config = container_config(IMAGE, *command, name=name, **members)
        return await asyncio.to_thread(self.server.client.create, sandbox, config)

    async def start(self, container: str) -> None:
        await asyncio.to_thread(
            self.server.client.ask, cri.StartContainerRequest(container), cri.StartContainerResponse
        )

    async def stop(self, container: str, seconds: int = 0) -> None:
        request = cri.StopContainerRequest(container, seconds)
        await asyncio.to_thread(self.server.client.ask, request, cri.StopContainerResponse, 90.0)

    async def remove(self, sandbox: str) -> None:
        client = self.server.client
        await asyncio.to_thread(client.ask, cri.StopPodSandboxRequest(sandbox), cri.StopPodSandboxResponse)
        await asyncio.to_thread(client.ask, cri.RemovePodSandboxRequest(sandbox), cri.RemovePodSandboxResponse)

    def record(self, container: str) -> ContainerRecord:
        """What is known of a container."""
        file = self.server.root / "cri" / "containers" / container / "container.json"
        return msgspec.json.decode(file.read_bytes(), type=ContainerRecord)

    def proc(self, container: str, name: str) -> bytes:
        """A file of its process in /proc."""
        return Path(f"/proc/{self.record(container).process.pid}/{name}").read_bytes()

    async def hears(self, method: str) -> None:
        """Wait until the plugin has heard of this."""
        async with asyncio.timeout(30):
            while method not in self.plugin.methods:  # noqa: ASYNC110 - it hears of much
                await asyncio.sleep(0.02)


Play = Callable[[Callable[[Stage], Coroutine[None, None, None]]], None]


@pytest.fixture
def play(own_server: Callable[..., CriServer], tmp_path: Path) -> Iterator[Play]:
    """Plays a scene with a server that has an image."""
    socket = str(tmp_path / "nri" / "nri.sock")
    layout = image_layout.write_layout(tmp_path / "layout", "small:1", CONFIG, image_layout.layer(fill))
    import_path(ImageStore(str(tmp_path / "root")), layout)
    server = own_server("--enable-nri", "--nri-listen", socket)

    def played(scene: Callable[[Stage], Coroutine[None, None, None]]) -> None:
        async def whole() -> None:
            stage = Stage(server, socket)
            try:
                await scene(stage)
            finally:
                await stage.end()

        asyncio.run(whole())

    yield played
    server.remove_everything()
    assert not os.listdir(tmp_path / "root" / "cri" / "containers")


def test_a_plugin_is_told_of_every_step_in_order(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        await stage.connect()
        sandbox = await stage.run()
        container = await stage.create(sandbox, "sleep", "100")
        await stage.start(container)
        await stage.stop(container)
        await stage.remove(sandbox)
        assert [method for method in stage.plugin.methods[2:] if method != "ValidateContainerAdjustment"] == [
            "RunPodSandbox",
            "CreateContainer",
            "PostCreateContainer",
            "StartContainer",
            "PostStartContainer",
            "StopContainer",
            "StopPodSandbox",
            "RemoveContainer",
            "RemovePodSandbox",
        ]
        told = dict(stage.plugin.heard)
        created, running = told["CreateContainer"], told["PostStartContainer"]
        assert isinstance(created, ContainerRequest)
        assert isinstance(running, ContainerRequest)
        assert created.pod is not None
        assert (created.pod.id, created.pod.name, created.pod.namespace) == (sandbox, "web", "default")
        assert created.container is not None
        assert (created.container.id, created.container.name) == (container, "app")
        assert created.container.args == ("sleep", "100")
        assert running.container is not None
        assert running.container.pid > 1

    play(scene)


def test_what_a_plugin_changes_is_so_in_the_container(play: Play) -> None:
    adjustment = ContainerAdjustment(
        env=(KeyValue("ADDED", "by a plugin"),),
        mounts=(Mount("/extra", "tmpfs", "tmpfs", ("size=64k",)),),
        args=("sleep", "77"),
        linux=LinuxAdjustment(oom_score_adj=321),
    )

    async def scene(stage: Stage) -> None:
        await stage.connect(CreateContainer=lambda _: CreateContainerResponse(adjustment))
        container = await stage.create(await stage.run(), "sleep", "100")
        await stage.start(container)
        async with asyncio.timeout(30):
            while stage.proc(container, "cmdline") != b"sleep\x0077\x00":  # noqa: ASYNC110 - its execve is under way
                await asyncio.sleep(0.01)
        assert b"ADDED=by a plugin" in stage.proc(container, "environ").split(b"\0")
        assert stage.proc(container, "oom_score_adj").strip() == b"321"
        assert b" /extra " in stage.proc(container, "mountinfo")

    play(scene)


def test_a_container_that_ends_by_itself_is_told_of_once(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        await stage.connect()
        sandbox = await stage.run()
        container = await stage.create(sandbox, "sh", "-c", "exit 3")
        await stage.start(container)
        await stage.hears("StopContainer")
        stopped = dict(stage.plugin.heard)["StopContainer"]
        assert isinstance(stopped, ContainerRequest)
        assert stopped.container is not None
        assert (stopped.container.id, stopped.container.exit_code) == (container, 3)
        await stage.remove(sandbox)
        assert stage.plugin.methods.count("StopContainer") == 1

    play(scene)


def refusing(_: Message) -> Message:
    raise Refuses("not here")


def test_a_refusal_leaves_nothing(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        await stage.connect(RunPodSandbox=refusing)
        with pytest.raises(RefusedError, match="NRI plugin 00-test refuses"):
            await stage.run()
        assert not os.listdir(stage.server.root / "cri" / "sandboxes")
        await stage.plugin.end()
        await stage.connect(CreateContainer=refusing)
        sandbox = await stage.run()
        with pytest.raises(RefusedError, match="not here"):
            await stage.create(sandbox, "sleep", "1")
        assert not os.listdir(stage.server.root / "cri" / "containers")
        await stage.plugin.end()
        await stage.connect(StartContainer=refusing)
        container = await stage.create(sandbox, "sleep", "1")
        with pytest.raises(RefusedError, match="not here"):
            await stage.start(container)
        assert stage.record(container).reason == "StartError"

    play(scene)


@pytest.mark.parametrize("path", ["/", "/elsewhere", "../x"])
def test_a_cgroup_outside_of_the_sandbox_s_is_refused(play: Play, path: str) -> None:
    """Whatever runs in a container's cgroup is killed with it."""

    async def scene(stage: Stage) -> None:
        adjustment = ContainerAdjustment(linux=LinuxAdjustment(cgroups_path=path))
        await stage.connect(CreateContainer=lambda _: CreateContainerResponse(adjustment))
        with pytest.raises(RefusedError, match="is not below"):
            await stage.create(await stage.run(), "sleep", "1")
        assert stage.plugin.methods[-1] == "RemoveContainer"

    play(scene)


def test_a_plugin_changes_resources_when_asked_and_by_itself(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        def lower(message: Message) -> Message:
            del message
            return UpdateContainerResponse((limited(container, 32 << 20),))

        await stage.connect(UpdateContainer=lower)
        container = await stage.create(await stage.run(), "sleep", "100")
        await stage.start(container)
        request = cri.UpdateContainerResourcesRequest(
            container, LinuxContainerResources(memory_limit_in_bytes=64 << 20)
        )
        await asyncio.to_thread(stage.server.client.ask, request, cri.UpdateContainerResourcesResponse)
        assert "PostUpdateContainer" in stage.plugin.methods
        changed = stage.record(container).resources
        assert changed is not None
        assert changed.memory_limit_in_bytes == 32 << 20
        await stage.plugin.call("UpdateContainers", UpdateContainersRequest((limited(container, 48 << 20),)))
        changed = stage.record(container).resources
        assert changed is not None
        assert changed.memory_limit_in_bytes == 48 << 20

    play(scene)


def until_ignored(pid: int, number: signal.Signals) -> None:
    """Wait until the process ignores the signal."""
    status = Path(f"/proc/{pid}/status")
    while not int(status.read_text(encoding="ascii").partition("SigIgn:")[2].split()[0], 16) >> number - 1 & 1:
        time.sleep(0.01)


def test_a_stop_that_takes_long_keeps_no_plugin_waiting(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        sandbox = await stage.run()
        container = await stage.create(sandbox, "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        await stage.start(container)
        await asyncio.to_thread(until_ignored, stage.record(container).process.pid, signal.SIGTERM)
        stopping = asyncio.create_task(stage.stop(container, 60))
        await stage.connect()
        assert not stopping.done()
        other = await stage.create(sandbox, "sleep", "1", name="other")
        assert "CreateContainer" in stage.plugin.methods
        await stage.start(other)
        os.kill(stage.record(container).process.pid, signal.SIGKILL)
        await stopping
        assert "StopContainer" in stage.plugin.methods

    play(scene)


def test_a_sandbox_that_plugins_cannot_be_asked_about_any_more_is_taken_away(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        async def forever(_: Message) -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        await stage.connect(RunPodSandbox=forever)
        running = asyncio.create_task(stage.run())
        await stage.hears("RunPodSandbox")
        stage.server.kill()
        with pytest.raises(RefusedError):
            await running
        async with asyncio.timeout(30):
            while os.listdir(stage.server.root / "cri" / "sandboxes"):  # noqa: ASYNC110 - the worker does it
                await asyncio.sleep(0.05)
        stage.server.restart()
        assert await stage.run()

    play(scene)


def limited(container: str, memory: int) -> ContainerUpdate:
    return ContainerUpdate(container, LinuxUpdate(Resources(Memory(limit=memory))))


def test_a_plugin_that_comes_later_is_told_what_there_is(play: Play) -> None:
    async def scene(stage: Stage) -> None:
        sandbox = await stage.run()
        running, ended = await stage.create(sandbox, "sleep", "100"), await stage.create(sandbox, "true", name="b")
        await stage.start(running)
        await stage.start(ended)
        await stage.stop(ended)
        await stage.connect()
        known = next(m for _, m in stage.plugin.heard if isinstance(m, SynchronizeRequest))
        assert [pod.id for pod in known.pods] == [sandbox]
        assert [container.id for container in known.containers] == [running]

    play(scene)
