"""Workers' questions, and who hears of what, how often and in which order."""

from __future__ import annotations

import asyncio
from pathlib import Path

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.nri import Container, ContainerUpdate, Event, LinuxUpdate, Pids, PodSandbox, Resources
from podward.cri.log import Log
from podward.cri.nri.answering import Answering
from podward.cri.nri.service import Created, Nri
from podward.runtime.service.plugins import Answer, Plugins, Question
from podward.runtime.service.records import Records

POD = PodSandbox("p1")
CONTAINER = Container("c1", "p1")
OTHER = ContainerUpdate("c2", LinuxUpdate(Resources(pids=Pids(5))))


class NoPlugins:
    """A runtime for plugins whose updates fail if they are for `gone`."""

    name = version = "x"

    def __init__(self) -> None:
        self.updated: list[str] = []

    async def inventory(self) -> tuple[tuple[PodSandbox, ...], tuple[Container, ...]]:
        return (), ()

    async def update_containers(self, updates: tuple[ContainerUpdate, ...]) -> tuple[ContainerUpdate, ...]:
        self.updated += [update.container_id for update in updates]
        return tuple(update for update in updates if update.container_id == "gone")


class Heard(Nri):
    """Notes what plugins would be told, and answers what the test says."""

    def __init__(self, runtime: NoPlugins, updates: tuple[ContainerUpdate, ...] | CriRefusal = ()) -> None:
        super().__init__(runtime, "", Log("error"))
        self.heard: list[Event] = []
        self.updates = updates

    async def tell(self, event: Event, pod: PodSandbox, container: Container | None = None) -> CriRefusal | None:
        self.heard.append(event)
        return await super().tell(event, pod, container)

    async def create_container(self, pod: PodSandbox, container: Container) -> Created | CriRefusal:
        self.heard.append(Event.CREATE_CONTAINER)
        del pod, container
        return self.updates if isinstance(self.updates, CriRefusal) else Created((), self.updates)

    async def update_container(
        self, pod: PodSandbox, container: Container, resources: Resources
    ) -> tuple[ContainerUpdate, ...] | CriRefusal:
        self.heard.append(Event.UPDATE_CONTAINER)
        del pod, container
        own = ContainerUpdate("c1", LinuxUpdate(resources))
        return self.updates if isinstance(self.updates, CriRefusal) else (own, *self.updates)

    async def stop_container(self, pod: PodSandbox, container: Container) -> tuple[ContainerUpdate, ...] | CriRefusal:
        self.heard.append(Event.STOP_CONTAINER)
        del pod, container
        return self.updates


def asked(nri: Heard, runtime: NoPlugins, *questions: Question) -> list[Answer]:
    async def ask() -> list[Answer]:
        answering = Answering(nri, runtime, "", Log("error"))
        return [await answering.answer(question) for question in questions]

    return asyncio.run(ask())


def about(event: Event, resources: Resources | None = None) -> Question:
    return Question(event, POD, CONTAINER, resources)


def test_an_end_is_told_once_and_before_the_removal() -> None:
    runtime = NoPlugins()
    nri = Heard(runtime)
    stop, remove = about(Event.STOP_CONTAINER), about(Event.REMOVE_CONTAINER)
    asked(nri, runtime, stop, stop, remove)
    assert nri.heard == [Event.STOP_CONTAINER, Event.REMOVE_CONTAINER]
    asked(nri, runtime, remove)
    assert nri.heard[2:] == [Event.STOP_CONTAINER, Event.REMOVE_CONTAINER]


def test_what_plugins_change_in_other_containers_is_done_before_the_answer() -> None:
    runtime = NoPlugins()
    resources = Resources(pids=Pids(9))
    nri = Heard(runtime, (OTHER,))
    answers = asked(nri, runtime, about(Event.CREATE_CONTAINER), about(Event.UPDATE_CONTAINER, resources))
    assert answers == [Answer(), Answer(resources=resources)]
    assert runtime.updated == ["c2", "c2"]


def test_what_cannot_be_changed_in_other_containers_refuses_a_new_one() -> None:
    runtime = NoPlugins()
    nri = Heard(runtime, (ContainerUpdate("gone"),))
    (answer,) = asked(nri, runtime, about(Event.CREATE_CONTAINER))
    assert answer.refusal is not None
    assert nri.heard == [Event.CREATE_CONTAINER, Event.STOP_CONTAINER, Event.REMOVE_CONTAINER]


def test_a_refusal_is_the_answer() -> None:
    runtime = NoPlugins()
    refusal = CriRefusal(CriCode.UNKNOWN, "no")
    nri = Heard(runtime, refusal)
    for event in (Event.CREATE_CONTAINER, Event.UPDATE_CONTAINER, Event.STOP_CONTAINER):
        assert asked(nri, runtime, about(event)) == [Answer(refusal)]


def test_a_worker_asks_over_the_socket(tmp_path: Path) -> None:
    async def scene() -> None:
        runtime = NoPlugins()
        nri = Heard(runtime)
        path = str(tmp_path / "nri.sock")
        answering = Answering(nri, runtime, path, Log("error"))
        await answering.start({"before"})
        question = Question(Event.START_CONTAINER, POD, Container("c1", args=("x" * (1 << 20),)))
        assert await asyncio.to_thread(Plugins(Records(str(tmp_path)), path).ask, question) == Answer()
        assert nri.heard == [Event.START_CONTAINER]
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b"garbage")
        writer.write_eof()
        before = Question(Event.STOP_CONTAINER, POD, Container("before"))
        assert await asyncio.to_thread(Plugins(Records(str(tmp_path)), path).ask, before) == Answer()
        assert Event.STOP_CONTAINER not in nri.heard
        writer.close()
        await answering.close()

    asyncio.run(scene())
