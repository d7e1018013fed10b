"""The scheduler against our own API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from api_server import Server
from pods_and_nodes import raw_node, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import Connection, load
from podward.client.informer import Informers
from podward.controllers import scheduler
from podward.controllers.context import Context, ControllerOptions
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

PODS, NODES, EVENTS = (BY_PLURAL["", "v1", name] for name in ("pods", "nodes", "events"))
PRIORITIES = BY_PLURAL["scheduling.k8s.io", "v1", "priorityclasses"]
SECONDS = 10


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    directory = tmp_path_factory.mktemp("server")
    flags = ("--kubeconfig", str(directory / "kubeconfig"), "--disable-admission-plugins")
    server = Server(directory, *flags, "ServiceAccount,TaintNodesByCondition")
    yield load(str(directory / "kubeconfig"))
    server.process.terminate()
    server.process.communicate()


def scheduling(connection: Connection, work: Callable[[Client], Awaitable[None]]) -> None:
    """Do something while a scheduler is at work; afterwards no Pods and nodes are left."""

    async def main() -> None:
        client = Client(connection, "test")
        informers = Informers(client)
        context = Context(client, informers, ControllerOptions())
        controller = await scheduler.make(context)
        await informers.start()
        await controller.start()
        try:
            await work(client)
        finally:
            await controller.close()
            await informers.close()
            await context.close()
            for each in objects(await listed(client), "items"):
                name = str(member(each, "metadata")["name"])
                await client.delete(PODS, "default", name, {"gracePeriodSeconds": 0})
            await client.delete_collection(NODES, "")
            await client.close()

    asyncio.run(main())


async def listed(client: Client) -> JsonObject:
    found = await client.list(PODS, "default")
    assert not isinstance(found, Status)
    return found


async def made(client: Client, raw: JsonObject) -> None:
    raw["metadata"] = {key: value for key, value in member(raw, "metadata").items() if key != "uid"}
    resource = PODS if "containers" in member(raw, "spec") else NODES
    namespace = "default" if resource is PODS else ""
    found = await client.create(resource, namespace, {key: raw[key] for key in ("metadata", "spec")})
    assert not isinstance(found, Status), found
    if resource is NODES:
        name = str(member(found, "metadata")["name"])
        answer = await client.patch(NODES, "", name, {"status": raw["status"]}, PatchKind.MERGE, "status")
        assert not isinstance(answer, Status)


async def until(client: Client, name: str, holds: Callable[[JsonObject], bool]) -> JsonObject:
    found: JsonObject | Status = {}
    async for _ in ticks():
        found = await client.get(PODS, "default", name)
        if not isinstance(found, Status) and holds(found):
            return found
    raise AssertionError(found)


async def ticks() -> AsyncIterator[None]:
    for _ in range(SECONDS * 20):
        yield
        await asyncio.sleep(0.05)


def has_node(name: str) -> Callable[[JsonObject], bool]:
    return lambda raw: member(raw, "spec").get("nodeName") == name


def condition(raw: JsonObject) -> JsonObject:
    found = objects(member(raw, "status"), "conditions")
    return next((each for each in found if each.get("type") == "PodScheduled"), {})


async def told(client: Client, name: str, reason: str) -> JsonObject:
    async for _ in ticks():
        fields = f"involvedObject.name={name},reason={reason}"
        found = await client.list(EVENTS, "default", fields=fields)
        assert not isinstance(found, Status)
        if events := objects(found, "items"):
            return events[0]
    raise AssertionError(f"no event {reason}")


def test_a_pod_is_bound_and_that_is_told(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("web"))
        found = await until(client, "web", has_node("n1"))
        assert condition(found).get("status") == "True"
        event = await told(client, "web", "Scheduled")
        assert event["message"] == "Successfully assigned default/web to n1"
        assert member(event, "source") == {"component": "default-scheduler"}

    scheduling(connection, work)


def test_what_does_not_fit_is_told_and_placed_when_it_does(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("big", requests={"cpu": "3"}))
        found = await until(client, "big", lambda raw: condition(raw).get("reason") == "Unschedulable")
        assert condition(found)["message"] == (
            "0/1 nodes are available: 1 Insufficient cpu. "
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        assert (await told(client, "big", "FailedScheduling"))["message"] == condition(found)["message"]
        status: JsonObject = {"status": {"allocatable": {"cpu": "4"}, "capacity": {"cpu": "4"}}}
        await client.patch(NODES, "", "n1", status, PatchKind.MERGE, "status")
        await until(client, "big", has_node("n1"))

    scheduling(connection, work)


def test_gates_and_other_schedulers_pods_are_left_alone(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("gated", schedulingGates=[{"name": "example.com/wait"}]))
        await made(client, raw_pod("foreign", schedulerName="mine"))
        await made(client, raw_pod("web"))
        await until(client, "web", has_node("n1"))
        for name in ("gated", "foreign"):
            found = await client.get(PODS, "default", name)
            assert not isinstance(found, Status)
            assert "nodeName" not in member(found, "spec")
        await client.patch(PODS, "default", "gated", {"spec": {"schedulingGates": None}})
        await until(client, "gated", has_node("n1"))

    scheduling(connection, work)


def test_a_pod_of_low_priority_makes_room(connection: Connection) -> None:
    async def work(client: Client) -> None:
        for name, value in (("low", 1), ("high", 1000)):
            priority: JsonObject = {"metadata": {"name": name}, "value": value}
            await client.create(PRIORITIES, "", priority)
        await made(client, raw_node("n1"))
        await made(client, raw_pod("small", requests={"cpu": "2"}, priorityClassName="low"))
        await until(client, "small", has_node("n1"))
        await made(client, raw_pod("vip", requests={"cpu": "2"}, priorityClassName="high"))
        ended = await until(client, "small", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        reasons: list[Json] = [each.get("reason") for each in objects(member(ended, "status"), "conditions")]
        assert "PreemptionByScheduler" in reasons
        await until(client, "vip", lambda raw: member(raw, "status").get("nominatedNodeName") == "n1")
        await client.delete(PODS, "default", "small", {"gracePeriodSeconds": 0})
        await until(client, "vip", has_node("n1"))
        assert str((await told(client, "small", "Preempted"))["message"]).endswith(" on node n1")

    scheduling(connection, work)


def test_many_pods_are_placed_within_a_second_or_two(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_node("n2"))
        await asyncio.gather(*(made(client, raw_pod(f"p{number}")) for number in range(60)))
        where: list[Json] = [None]
        async for _ in ticks():
            if None not in where:
                break
            where = [member(each, "spec").get("nodeName") for each in objects(await listed(client), "items")]
        assert (len(where), where.count(None)) == (60, 0)
        assert abs(where.count("n1") - where.count("n2")) < 10

    scheduling(connection, work)
