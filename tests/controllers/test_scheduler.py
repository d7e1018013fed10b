"""The scheduler against our own API server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
from controllers_at_work import EVENTS, NODES, PODS, at_work, condition, created, served, told, until
from pods_and_nodes import raw_node, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import Connection
from podward.client.event_series import SeriesRecorder
from podward.controllers import scheduler
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

SERVICES = BY_PLURAL["", "v1", "services"]
SERVICE: JsonObject = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
PRIORITIES = BY_PLURAL["scheduling.k8s.io", "v1", "priorityclasses"]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with served(tmp_path_factory) as found:
        yield found


def scheduling(connection: Connection, work: Callable[[Client], Awaitable[None]]) -> None:
    at_work(connection, [scheduler], work)


async def made(client: Client, raw: JsonObject) -> None:
    await created(client, PODS if "containers" in member(raw, "spec") else NODES, raw)


def has_node(name: str) -> Callable[[JsonObject], bool]:
    return lambda raw: member(raw, "spec").get("nodeName") == name


def test_a_pod_is_bound_and_that_is_told(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("web"))
        found = await until(client, PODS, "web", has_node("n1"))
        assert condition(found, "PodScheduled").get("status") == "True"
        event = await told(client, "web", "Scheduled")
        assert event["message"] == "Successfully assigned default/web to n1"
        assert (event["reportingComponent"], event["action"]) == ("default-scheduler", "Binding")
        assert (event["source"], event["firstTimestamp"]) == ({}, None)
        assert event["eventTime"]

    scheduling(connection, work)


def test_what_does_not_fit_is_told_and_placed_when_it_does(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("big", requests={"cpu": "3"}))
        found = await until(
            client, PODS, "big", lambda raw: condition(raw, "PodScheduled").get("reason") == "Unschedulable"
        )
        assert condition(found, "PodScheduled")["message"] == (
            "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, "
            "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        )
        assert (await told(client, "big", "FailedScheduling"))["message"] == condition(found, "PodScheduled")["message"]
        status: JsonObject = {"status": {"allocatable": {"cpu": "4"}, "capacity": {"cpu": "4"}}}
        await client.patch(NODES, "", "n1", status, PatchKind.MERGE, "status")
        await until(client, PODS, "big", has_node("n1"))

    scheduling(connection, work)


def test_what_is_told_again_of_the_same_version_is_a_series(connection: Connection) -> None:
    async def work(client: Client) -> None:
        pod = await created(client, PODS, raw_pod("again"))
        recorder = SeriesRecorder(client, "default-scheduler")
        told = ("Warning", "FailedScheduling", "Scheduling")
        for note in ("first", "second", "third"):
            recorder.event(pod, told, note)
        recorder.event({**pod, "metadata": {**member(pod, "metadata"), "resourceVersion": "1"}}, told, "x" * 2000)
        await recorder.close(10)
        listed = await client.list(EVENTS, "default", fields="involvedObject.name=again")
        assert not isinstance(listed, Status)
        found = {str(each["message"]): each for each in objects(listed, "items")}
        assert set(found) == {"first", "x" * 1020 + " ..."}
        assert member(found["first"], "series")["count"] == 2
        assert "series" not in found["x" * 1020 + " ..."]

    at_work(connection, [], work)


def test_a_pod_whose_claim_is_not_bound_is_told_so_without_a_word_of_preemption(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        claimed: Json = [{"name": "v", "persistentVolumeClaim": {"claimName": "none"}}]
        await made(client, raw_pod("waits", volumes=claimed))
        found = await until(client, PODS, "waits", lambda raw: bool(condition(raw, "PodScheduled")))
        told = '0/1 nodes are available: persistentvolumeclaim "none" not found. not found'
        assert condition(found, "PodScheduled")["message"] == told

    scheduling(connection, work)


def test_gates_and_other_schedulers_pods_are_left_alone(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_pod("gated", schedulingGates=[{"name": "example.com/wait"}]))
        await made(client, raw_pod("foreign", schedulerName="mine"))
        await made(client, raw_pod("web"))
        await until(client, PODS, "web", has_node("n1"))
        for name in ("gated", "foreign"):
            found = await client.get(PODS, "default", name)
            assert not isinstance(found, Status)
            assert "nodeName" not in member(found, "spec")
        await client.patch(PODS, "default", "gated", {"spec": {"schedulingGates": None}})
        await until(client, PODS, "gated", has_node("n1"))

    scheduling(connection, work)


def test_a_pod_of_low_priority_makes_room(connection: Connection) -> None:
    async def work(client: Client) -> None:
        for name, value in (("low", 1), ("high", 1000)):
            priority: JsonObject = {"metadata": {"name": name}, "value": value}
            await client.create(PRIORITIES, "", priority)
        await made(client, raw_node("n1"))
        await made(client, raw_pod("small", requests={"cpu": "2"}, priorityClassName="low"))
        await until(client, PODS, "small", has_node("n1"))
        await made(client, raw_pod("vip", requests={"cpu": "2"}, priorityClassName="high"))
        ended = await until(client, PODS, "small", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        reasons: list[Json] = [each.get("reason") for each in objects(member(ended, "status"), "conditions")]
        assert "PreemptionByScheduler" in reasons
        await until(client, PODS, "vip", lambda raw: member(raw, "status").get("nominatedNodeName") == "n1")
        await client.delete(PODS, "default", "small", {"gracePeriodSeconds": 0})
        await until(client, PODS, "vip", has_node("n1"))
        assert str((await told(client, "small", "Preempted"))["message"]).endswith(" on node n1")

    scheduling(connection, work)


def test_pods_of_one_service_are_kept_apart(connection: Connection) -> None:
    async def work(client: Client) -> None:
        for name in ("n1", "n2", "n3"):
            await made(client, raw_node(name))
        await client.create(SERVICES, "default", {"metadata": {"name": "web"}, "spec": SERVICE})
        where: set[Json] = set()
        for name in ("a", "b", "c"):
            await made(client, raw_pod(name, labels={"app": "web"}))
            found = await until(client, PODS, name, lambda raw: bool(member(raw, "spec").get("nodeName")))
            where.add(member(found, "spec")["nodeName"])
        await client.delete(SERVICES, "default", "web")
        assert where == {"n1", "n2", "n3"}

    scheduling(connection, work)


def test_many_pods_are_spread_over_the_nodes(connection: Connection) -> None:
    async def work(client: Client) -> None:
        await made(client, raw_node("n1"))
        await made(client, raw_node("n2"))
        await asyncio.gather(*(made(client, raw_pod(f"p{number}")) for number in range(60)))
        where: list[Json] = [None]
        while None in where:
            found = await client.list(PODS, "default")
            assert not isinstance(found, Status)
            where = [member(each, "spec").get("nodeName") for each in objects(found, "items")]
            await asyncio.sleep(0.05)
        assert (len(where), where.count(None)) == (60, 0)
        # Whoever is equally free is chosen by chance, and the first Pods may have come before the second node.
        assert min(where.count("n1"), where.count("n2")) >= 15

    scheduling(connection, work)
