"""The service as plugins see it: a plugin in these tests speaks ttrpc over the real socket, well or badly."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nri_plugin import Answer, PythonPlugin, Refuses

from podward.api.cri_refusal import CriRefusal
from podward.api.nri import (
    ALL_EVENTS,
    Container,
    ContainerAdjustment,
    ContainerEviction,
    ContainerUpdate,
    Event,
    KeyValue,
    LinuxUpdate,
    Message,
    Mount,
    Pids,
    PodSandbox,
    Resources,
)
from podward.cri.log import Log
from podward.cri.nri.connection import CallError
from podward.cri.nri.messages import (
    RUNTIME,
    ConfigureRequest,
    ConfigureResponse,
    ContainerRequest,
    CreateContainerResponse,
    Empty,
    PluginInstance,
    RegisterPluginRequest,
    Request,
    StateChangeEvent,
    SynchronizeRequest,
    SynchronizeResponse,
    UpdateContainerResponse,
    UpdateContainersRequest,
    UpdateContainersResponse,
    ValidateRequest,
    ValidateResponse,
)
from podward.cri.nri.plugin import check_registration
from podward.cri.nri.plugins import Timeouts
from podward.cri.nri.protobuf import decode, encode
from podward.cri.nri.service import Created, Nri
from podward.cri.nri.ttrpc import Conn, Frame, Kind, packed

POD = PodSandbox("p1", "pod", "uid", "ns")
CONTAINER = Container("c1", "p1", "app", env=("A=1",))
UPDATE = ContainerUpdate("c9", LinuxUpdate(Resources(pids=Pids(5))))


class FakeRuntime:
    name = "podward"
    version = "1"

    def __init__(self) -> None:
        self.pods: tuple[PodSandbox, ...] = (POD,)
        self.containers: tuple[Container, ...] = (CONTAINER,)
        self.updates: list[ContainerUpdate] = []

    async def inventory(self) -> tuple[tuple[PodSandbox, ...], tuple[Container, ...]]:
        return self.pods, self.containers

    async def update_containers(self, updates: tuple[ContainerUpdate, ...]) -> tuple[ContainerUpdate, ...]:
        self.updates += updates
        return tuple(update for update in updates if update.container_id == "gone")


class Scene:
    """A service on a socket of its own, and plugins of it."""

    def __init__(self, path: str, timeouts: Timeouts) -> None:
        self.path = path
        self.runtime = FakeRuntime()
        self.nri = Nri(self.runtime, path, Log("error"), timeouts)
        self._plugins: list[PythonPlugin] = []

    def unconnected(self, name: str = "00-test", **answers: Answer) -> PythonPlugin:
        """A plugin that the test connects."""
        self._plugins.append(PythonPlugin(self.path, name, **answers))
        return self._plugins[-1]

    async def end(self) -> None:
        await self.nri.close()
        for plugin in self._plugins:
            await plugin.end()

    async def plugin(self, name: str = "00-test", **answers: Answer) -> PythonPlugin:
        plugin = self.unconnected(name, **answers)
        await plugin.connect()
        return plugin

    async def stays_usable(self) -> None:
        """Another plugin can come, and is asked."""
        good = await self.plugin("50-good")
        assert await self.nri.tell(Event.START_CONTAINER, POD, CONTAINER) is None
        assert good.methods[-1] == "StartContainer"
        await good.end()


Play = Callable[[Callable[[Scene], Coroutine[None, None, None]]], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Plays a scene to its end."""

    def played(scene: Callable[[Scene], Coroutine[None, None, None]]) -> None:
        async def whole() -> None:
            stage = Scene(str(tmp_path / "nri" / "nri.sock"), Timeouts(registration=2, request=1))
            await stage.nri.start()
            try:
                await scene(stage)
            finally:
                await stage.end()
            assert not os.listdir(tmp_path / "nri")

        asyncio.run(whole())

    return played


def test_the_socket_is_its_owner_s_alone(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        assert stat.filemode(os.stat(stage.path).st_mode) == "srw-------"
        assert stat.filemode(os.stat(os.path.dirname(stage.path)).st_mode) == "drwx------"
        assert os.listdir(os.path.dirname(stage.path)) == ["nri.sock"]

    play(scene)


def test_a_plugin_is_introduced_and_told_what_there_is(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        before = stage.nri.active
        plugin = await stage.plugin(Synchronize=lambda _: SynchronizeResponse((UPDATE,)))
        assert (before, stage.nri.active) == (False, True)
        (_, configured), (_, synchronized) = plugin.heard
        assert isinstance(configured, ConfigureRequest)
        assert (configured.runtime_name, configured.request_timeout) == ("podward", 1000)
        assert synchronized == SynchronizeRequest((POD,), (CONTAINER,))
        assert stage.runtime.updates == [UPDATE]
        await plugin.end()
        await asyncio.sleep(0.05)
        assert not stage.nri.active

    play(scene)


def test_much_is_told_in_several_requests(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        stage.runtime.containers = tuple(Container(str(i), args=("x" * 300_000,)) for i in range(20))

        def more(message: Message) -> Message:
            assert isinstance(message, SynchronizeRequest)
            return SynchronizeResponse(more=message.more)

        plugin = await stage.plugin(Synchronize=more)
        parts = [message for _, message in plugin.heard if isinstance(message, SynchronizeRequest)]
        assert len(parts) > 2
        assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
        assert tuple(c for part in parts for c in part.containers) == stage.runtime.containers

        bad = stage.unconnected()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bad.connect(), 0.5)
        await asyncio.wait_for(bad.closed.wait(), 5)

    play(scene)


def test_plugins_are_told_in_the_order_of_their_indexes_and_only_of_what_they_want(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        order: list[str] = []

        def noting(name: str) -> Answer:
            def note(_: Message) -> Message:
                order.append(name)
                return Empty()

            return note

        await stage.plugin("20-b", RunPodSandbox=noting("b"))
        await stage.plugin("10-a", RunPodSandbox=noting("a"))
        await stage.plugin(
            "00-c",
            RunPodSandbox=noting("c"),
            Configure=lambda _: ConfigureResponse(Event.STOP_POD_SANDBOX.bit),
        )
        assert await stage.nri.run_pod_sandbox(POD) is None
        assert order == ["a", "b"]

    play(scene)


def test_every_event_has_its_method(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        plugin = await stage.plugin()
        await stage.nri.run_pod_sandbox(POD)
        await stage.nri.update_pod_sandbox(POD, None, Resources(pids=Pids(1)))
        await stage.nri.create_container(POD, CONTAINER)
        await stage.nri.tell(Event.START_CONTAINER, POD, CONTAINER)
        await stage.nri.update_container(POD, CONTAINER, Resources())
        await stage.nri.stop_container(POD, CONTAINER)
        await stage.nri.tell(Event.REMOVE_CONTAINER, POD, CONTAINER)
        await stage.nri.tell(Event.STOP_POD_SANDBOX, POD)
        await stage.nri.tell(Event.REMOVE_POD_SANDBOX, POD)
        assert plugin.methods[2:] == [
            "RunPodSandbox",
            "UpdatePodSandbox",
            "CreateContainer",
            "ValidateContainerAdjustment",
            "StartContainer",
            "UpdateContainer",
            "StopContainer",
            "RemoveContainer",
            "StopPodSandbox",
            "RemovePodSandbox",
        ]
        assert plugin.heard[6] == ("StartContainer", ContainerRequest(POD, CONTAINER))

    play(scene)


def test_an_older_plugin_is_told_by_state_changes(play: Play) -> None:
    def unknown(_: Message) -> Message:
        raise Refuses("no such method", 12)

    async def scene(stage: Scene) -> None:
        plugin = await stage.plugin(StartContainer=unknown)
        for _ in range(2):
            assert await stage.nri.tell(Event.START_CONTAINER, POD, CONTAINER) is None
        change = StateChangeEvent(Event.START_CONTAINER, POD, CONTAINER)
        assert plugin.heard[3:] == [("StateChange", change), ("StateChange", change)]

    play(scene)


def test_each_plugin_sees_and_changes_what_those_before_it_made(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        first = ContainerAdjustment(env=(KeyValue("B", "2"),), mounts=(Mount("/m", "tmpfs", "tmpfs"),))
        second = ContainerAdjustment(args=("x",))
        await stage.plugin("00-a", CreateContainer=lambda _: CreateContainerResponse(first, (UPDATE,)))
        plugin = await stage.plugin("01-b", CreateContainer=lambda _: CreateContainerResponse(second))
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, Created)
        assert [(a.plugin, a.adjustment) for a in created.adjustments] == [("00-a", first), ("01-b", second)]
        assert [update.container_id for update in created.updates] == ["c9"]
        seen = next(m for method, m in plugin.heard if method == "CreateContainer")
        assert isinstance(seen, ContainerRequest)
        assert seen.container is not None
        assert seen.container.env == ("A=1", "B=2")

    play(scene)


def refusing(message: str) -> Answer:
    def refuse(_: Message) -> Message:
        raise Refuses(message)

    return refuse


def test_an_error_refuses_the_step_and_undoes_it(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        plugin = await stage.plugin(RunPodSandbox=refusing("no\x1b[31m\nway"), CreateContainer=refusing("never"))
        refusal = await stage.nri.run_pod_sandbox(POD)
        assert refusal is not None
        assert refusal.message == "NRI plugin 00-test refuses (run pod sandbox): no [31m way"
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, CriRefusal)
        assert plugin.methods[2:] == [
            "RunPodSandbox",
            "StopPodSandbox",
            "RemovePodSandbox",
            "CreateContainer",
            "StopContainer",
            "RemoveContainer",
        ]
        await stage.stays_usable()

    play(scene)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (CreateContainerResponse(evict=(ContainerEviction("c2"),)), "evictions"),
        (CreateContainerResponse(update=(ContainerUpdate("c1"),)), "during creation"),
        (CreateContainerResponse(ContainerAdjustment(args=("x",))), "both tried to set args"),
    ],
)
def test_what_cannot_be_done_refuses_the_container(play: Play, response: CreateContainerResponse, words: str) -> None:
    async def scene(stage: Scene) -> None:
        own = CreateContainerResponse(ContainerAdjustment(args=("own",)))
        await stage.plugin("00-own", CreateContainer=lambda _: own)
        await stage.plugin("01-bad", CreateContainer=lambda _: response)
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, CriRefusal)
        assert words in created.message

    play(scene)


def test_what_a_plugin_of_a_later_nri_asks_for_refuses_the_container(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        await stage.plugin(CreateContainer=lambda _: ValidateRequest(plugins=(PluginInstance("x"),)))
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, CriRefusal)
        assert "has field 6, which this version does not know" in created.message
        assert stage.nri.active

    play(scene)


def test_a_validator_is_shown_everything_and_may_reject_it(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        adjustment = ContainerAdjustment(args=("x",))
        await stage.plugin("00-a", CreateContainer=lambda _: CreateContainerResponse(adjustment))
        plugin = await stage.plugin("01-v", ValidateContainerAdjustment=lambda _: ValidateResponse(True, "not x"))
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, CriRefusal)
        assert created.message.endswith("not x")
        request = next(m for _, m in plugin.heard if isinstance(m, ValidateRequest))
        assert request.adjust is not None
        assert request.adjust.args == ("x",)
        assert request.owners is not None
        assert request.owners.owners["c1"].simple == {7: "00-a"}
        assert [p.name for p in request.plugins] == ["a", "v"]

    play(scene)


def unable_to_validate(_: Message) -> Message:
    return ConfigureResponse(ALL_EVENTS & ~Event.VALIDATE_CONTAINER_ADJUSTMENT.bit)


async def forever(_: Message) -> Message:
    await asyncio.Event().wait()
    return Empty()


def test_a_plugin_that_does_not_answer_is_disconnected_and_the_others_go_on(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        slow = await stage.plugin("00-slow", CreateContainer=forever, Configure=unable_to_validate)
        quick = await stage.plugin("01-quick")
        assert isinstance(await stage.nri.create_container(POD, CONTAINER), Created)
        assert "CreateContainer" in quick.methods
        await asyncio.wait_for(slow.closed.wait(), 5)

    play(scene)


def test_a_validator_that_is_lost_before_it_is_asked_refuses_the_container(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        await stage.plugin("00-slow", CreateContainer=forever)
        created = await stage.nri.create_container(POD, CONTAINER)
        assert isinstance(created, CriRefusal)
        assert "did not answer CreateContainer" in created.message

    play(scene)


def test_all_are_told_of_what_nobody_can_refuse(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        await stage.plugin("00-a", StopPodSandbox=refusing("no"), StopContainer=refusing("no"))
        last = await stage.plugin("01-b", StopContainer=lambda _: UpdateContainerResponse((UPDATE,)))
        assert await stage.nri.tell(Event.STOP_POD_SANDBOX, POD) is not None
        assert isinstance(await stage.nri.stop_container(POD, CONTAINER), CriRefusal)
        assert last.methods[2:] == ["StopPodSandbox", "StopContainer"]

    play(scene)


def test_a_validator_that_does_not_answer_refuses_the_container(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        await stage.plugin("00-slow", ValidateContainerAdjustment=forever)
        assert isinstance(await stage.nri.create_container(POD, CONTAINER), CriRefusal)

    play(scene)


def test_an_update_is_what_plugins_made_of_it(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        own = ContainerUpdate("c1", LinuxUpdate(Resources(pids=Pids(7))))
        await stage.plugin(
            UpdateContainer=lambda _: UpdateContainerResponse((own, UPDATE)),
            StopContainer=lambda _: UpdateContainerResponse((UPDATE,)),
        )
        updated = await stage.nri.update_container(POD, CONTAINER, Resources(unified={"memory.high": "1"}))
        assert not isinstance(updated, CriRefusal)
        assert [update.container_id for update in updated] == ["c1", "c9"]
        assert updated[0].linux is not None
        assert updated[0].linux.resources is not None
        assert (updated[0].linux.resources.pids, updated[0].linux.resources.unified) == (Pids(7), {"memory.high": "1"})
        stopped = await stage.nri.stop_container(POD, CONTAINER)
        assert not isinstance(stopped, CriRefusal)
        assert [update.container_id for update in stopped] == ["c9"]

    play(scene)


def test_a_plugin_may_update_containers_by_itself(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        plugin = await stage.plugin()
        gone = ContainerUpdate("gone", LinuxUpdate(Resources(pids=Pids(5))))
        answer = await plugin.call("UpdateContainers", UpdateContainersRequest((UPDATE, gone)))
        failed = decode(UpdateContainersResponse, answer).failed
        assert [update.container_id for update in failed] == ["gone"]
        assert [update.container_id for update in stage.runtime.updates] == ["c9", "gone"]
        for method, request in (
            ("RegisterPlugin", RegisterPluginRequest("x", "00")),
            ("Nothing", Empty()),
            ("UpdateContainers", UpdateContainersRequest(evict=(ContainerEviction("c1"),))),
        ):
            with pytest.raises(Refuses):
                await plugin.call(method, request)

    play(scene)


def test_a_new_plugin_hears_of_every_container_once(play: Play) -> None:
    """One that began before it is told what there is, is among these; one that is made meanwhile comes afterwards."""

    async def scene(stage: Scene) -> None:
        release = asyncio.Event()

        async def held(_: Message) -> Message:
            await release.wait()
            return SynchronizeResponse()

        async def make(identifier: str) -> None:
            async with stage.nri.step():
                container = Container(identifier)
                await stage.nri.create_container(POD, container)
                await asyncio.sleep(0.05)
                stage.runtime.containers += (container,)

        before = asyncio.create_task(make("before"))
        await asyncio.sleep(0)
        plugin = stage.unconnected(Synchronize=held)
        connecting = asyncio.create_task(plugin.connect())
        await plugin.told.wait()
        during = [asyncio.create_task(make(f"during{i}")) for i in range(3)]
        await asyncio.sleep(0.05)
        release.set()
        await asyncio.gather(before, connecting, *during)
        told = [c.id for _, m in plugin.heard if isinstance(m, SynchronizeRequest) for c in m.containers]
        asked = [m.container.id for name, m in plugin.heard if isinstance(m, ContainerRequest) and m.container]
        assert (told, asked) == (["c1", "before"], ["during0", "during1", "during2"])

    play(scene)


@pytest.mark.parametrize(("name", "index"), [("", "00"), ("a/b", "00"), ("x" * 200, "00"), ("a", "1"), ("a", "1x")])
def test_a_plugin_without_a_right_name_is_not_registered(name: str, index: str) -> None:
    with pytest.raises(CallError):
        check_registration(RegisterPluginRequest(name, index))


def test_who_does_not_register_in_time_is_disconnected(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        plugin = stage.unconnected("00-a/b")
        with pytest.raises(Refuses):
            await plugin.connect()
        await asyncio.wait_for(plugin.closed.wait(), 5)

    play(scene)


GARBAGE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\xff" * 100,
    packed(Frame(Conn.RUNTIME, 1, Kind.RESPONSE, b"")),
    packed(Frame(Conn.PLUGIN, 1, Kind.REQUEST, b"")),
    packed(Frame(Conn.RUNTIME, 1, Kind.REQUEST, encode(Request(RUNTIME, "RegisterPlugin", b"\xff")))) * 100,
]
"""What ends a connection at once."""
USELESS = [
    bytes([0, 0, 0, 2, 0, 0x3F, 0xFF, 0xFF]) + bytes(100),
    packed(Frame(Conn.PLUGIN, 7, Kind.RESPONSE, b"")),
    packed(Frame(Conn.RUNTIME, 1, Kind.REQUEST, b"\xff\xff\xff")),
    packed(Frame(Conn.RUNTIME, 1, Kind.REQUEST, encode(Request("other", "x")))),
    b"",
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_plugin_is_disconnected(play: Play, garbage: bytes) -> None:
    async def scene(stage: Scene) -> None:
        reader, writer = await asyncio.open_unix_connection(stage.path)
        writer.write(garbage)
        await stage.stays_usable()
        while await asyncio.wait_for(reader.read(1000), 5):
            pass
        writer.close()

    play(scene)


@pytest.mark.parametrize("garbage", [b"\xff" * 8, packed(Frame(Conn.PLUGIN, 3, Kind.RESPONSE, b"\xff")), b""])
@pytest.mark.parametrize("method", ["Configure", "Synchronize", "CreateContainer"])
def test_a_plugin_may_break_off_at_any_point(play: Play, method: str, garbage: bytes) -> None:
    async def scene(stage: Scene) -> None:
        async def broken(_: Message) -> Message:
            plugin.writer.write(garbage)
            plugin.writer.close()
            return Empty()

        answers: dict[str, Answer] = {"Configure": unable_to_validate, method: broken}
        plugin = stage.unconnected("00-test", **answers)
        connecting = asyncio.create_task(plugin.connect())
        await asyncio.wait({connecting}, timeout=0.3)
        assert isinstance(await stage.nri.create_container(POD, CONTAINER), Created)
        connecting.cancel()
        await stage.stays_usable()

    play(scene)


@given(st.lists(st.binary(max_size=64) | st.sampled_from([*GARBAGE, *USELESS]), max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_service_outlives_any_bytes(play: Play, pieces: list[bytes]) -> None:
    async def scene(stage: Scene) -> None:
        _, writer = await asyncio.open_unix_connection(stage.path)
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        await stage.stays_usable()
        writer.close()

    play(scene)


def test_a_plugin_that_does_not_read_is_disconnected(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        plugin = await stage.plugin("00-deaf")
        plugin.reading.cancel()
        big = Container("c1", args=("x" * (1 << 20),))
        for _ in range(3):
            assert isinstance(await stage.nri.create_container(POD, big), Created | CriRefusal)
        await asyncio.sleep(0.05)
        assert not stage.nri.active

    play(scene)


def test_what_is_too_large_for_a_plugin_is_refused(play: Play) -> None:
    async def scene(stage: Scene) -> None:
        await stage.plugin()
        created = await stage.nri.create_container(POD, Container("c1", args=("x" * (5 << 20),)))
        assert isinstance(created, CriRefusal)
        assert "more than ttrpc's" in created.message
        await stage.stays_usable()

    play(scene)


def test_no_more_than_so_many_plugins(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podward.cri.nri.plugins.MOST_PLUGINS", 2)

    async def scene(stage: Scene) -> None:
        await stage.plugin()
        await stage.plugin()
        reader, writer = await asyncio.open_unix_connection(stage.path)
        assert await asyncio.wait_for(reader.read(1), 5) == b""
        writer.close()

    play(scene)
