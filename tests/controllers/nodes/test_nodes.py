"""Nodes: what their taints say, how long Pods stay, which ranges they get; and all that for our own API server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from controllers_at_work import EVENTS, NODES, PODS, at_work, condition, created, gone, served, told, until
from msgspec import convert
from pods_and_nodes import raw_node, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.api.scheduling import Taint, Toleration
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import Connection
from podward.controllers.context import ControllerOptions
from podward.controllers.nodes import life, lifecycle, ranges, taint_eviction, ttl
from podward.controllers.nodes.ranges import Ranges
from podward.documents.raw_fields import member, objects
from podward.errors import UsageError

NOW = "2026-01-01T00:00:00Z"


def node(*conditions: tuple[str, str], taints: tuple[tuple[str, str], ...] = (), **spec: Json) -> JsonObject:
    return {
        "metadata": {"name": "n1", "creationTimestamp": "then"},
        "spec": {**spec, "taints": [{"key": key, "effect": effect} for key, effect in taints]},
        "status": {"conditions": [{"type": each, "status": status} for each, status in conditions]},
    }


def tainted(raw: JsonObject) -> list[tuple[Json, Json]] | None:
    found = life.taints(raw, NOW)
    return None if found is None else [(each["key"], each["effect"]) for each in found if isinstance(each, dict)]


NOT_READY, UNREACHABLE = life.NOT_READY, life.UNREACHABLE


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (node(("Ready", "True")), None),
        (node(("Ready", "True"), taints=((NOT_READY, "NoSchedule"),)), []),
        (node(("Ready", "False")), [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")]),
        (
            node(("Ready", "Unknown"), taints=((NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute"))),
            [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")],
        ),
        (node(("Ready", "True"), taints=(("mine", "NoSchedule"), (NOT_READY, "PreferNoSchedule"))), None),
        (node(("Ready", "True"), unschedulable=True), [("node.kubernetes.io/unschedulable", "NoSchedule")]),
        (node(("Ready", "True"), ("DiskPressure", "True")), [("node.kubernetes.io/disk-pressure", "NoSchedule")]),
        (node(("Ready", "True"), ("NetworkUnavailable", "False")), None),
        (node(("Ready", "True"), taints=(("mine", "NoExecute"), (UNREACHABLE, "NoExecute"))), [("mine", "NoExecute")]),
    ],
)
def test_taints_say_what_conditions_say(raw: JsonObject, expected: list[tuple[str, str]] | None) -> None:
    assert tainted(raw) == expected


def test_what_was_told_and_what_was_never_told_is_unknown() -> None:
    found = life.unheard_of(node(("Ready", "True"), ("MemoryPressure", "Unknown")), NOW)
    assert [(each["type"], each["reason"]) for each in found if isinstance(each, dict)] == [
        ("Ready", "NodeStatusUnknown"),
        ("DiskPressure", "NodeStatusNeverUpdated"),
        ("PIDPressure", "NodeStatusNeverUpdated"),
    ]


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0),
        ([{"operator": "Exists"}], None),
        ([{"key": "a", "operator": "Exists"}], 0),
        ([{"key": "a", "operator": "Exists", "tolerationSeconds": 30}, {"key": "b", "operator": "Exists"}], 30),
        (
            [{"key": "a", "operator": "Exists", "tolerationSeconds": 30},
             {"key": "b", "operator": "Exists", "tolerationSeconds": 20}],
            20,
        ),
        ([{"operator": "Exists", "tolerationSeconds": -5}], 0),
    ],
)  # fmt: skip
def test_a_pod_stays_as_long_as_it_tolerates_all_taints(tolerations: list[JsonObject], expected: float | None) -> None:
    taints = [Taint("a", effect="NoExecute"), Taint("b", effect="NoExecute")]
    assert taint_eviction.stays_for([convert(each, Toleration) for each in tolerations], taints) == expected


def test_ranges_are_given_once_and_come_back() -> None:
    found = Ranges(ip_network("10.1.0.0/23"), 24)
    found.note("old", "10.1.0.0/24")
    assert (found.give("n1"), found.give("n1"), found.give("n2")) == ("10.1.1.0/24", "10.1.1.0/24", None)
    found.note("old", "")
    assert found.give("n2") == "10.1.0.0/24"


def test_a_range_is_not_divided_into_larger_ones() -> None:
    with pytest.raises(UsageError):
        Ranges(ip_network("10.1.0.0/24"), 16)


@pytest.mark.parametrize(("count", "expected"), [(1, "0"), (101, "15"), (9999, "300")])
def test_the_more_nodes_the_longer_they_remember(count: int, expected: str) -> None:
    assert ttl.ttl_of(count) == expected


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with served(tmp_path_factory, "ServiceAccount,DefaultTolerationSeconds") as found:
        yield found


def keys(raw: JsonObject) -> set[Json]:
    return {each.get("key") for each in objects(member(raw, "spec"), "taints")}


def with_ready(raw: JsonObject) -> JsonObject:
    status: Json = {**member(raw, "status"), "conditions": [{"type": "Ready", "status": "True"}]}
    return {**raw, "status": status}


async def evictions(client: Client, name: str) -> list[tuple[Json, Json]]:
    """What has been told of a Pod's eviction, and how often, once nothing more is told."""
    await asyncio.sleep(0.5)
    found = await client.list(EVENTS, "default", fields=f"involvedObject.name={name},reason=TaintManagerEviction")
    assert not isinstance(found, Status)
    return [(each["message"], each["count"]) for each in objects(found, "items")]


def test_pods_of_a_node_whose_kubelet_says_that_it_is_not_ready_are_what_the_kubelet_says(
    connection: Connection,
) -> None:
    async def work(client: Client) -> None:
        await created(client, NODES, with_ready(raw_node("n2")))
        ready: Json = [{"type": "Ready", "status": "True"}]
        await created(
            client,
            PODS,
            {**raw_pod("runs", "n2", tolerations=[{"operator": "Exists"}]), "status": {"conditions": ready}},
        )
        await until(client, NODES, "n2", lambda raw: not keys(raw))
        not_ready: JsonObject = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        await client.patch(NODES, "", "n2", not_ready, PatchKind.STRATEGIC, "status")
        await until(client, NODES, "n2", lambda raw: keys(raw) == {NOT_READY})
        found = await until(client, PODS, "runs", lambda _raw: True)
        assert condition(found, "Ready")["status"] == "True"

    at_work(connection, [lifecycle], work)


def test_a_node_has_the_older_labels_of_its_system(connection: Connection) -> None:
    async def work(client: Client) -> None:
        labels: JsonObject = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64", "beta.kubernetes.io/os": "x"}
        await created(client, NODES, raw_node("n3", labels))
        older: JsonObject = {"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "arm64"}
        await until(client, NODES, "n3", lambda raw: older.items() <= member(member(raw, "metadata"), "labels").items())

    at_work(connection, [lifecycle], work)


def test_a_node_lives_and_is_not_heard_of_any_more(connection: Connection) -> None:
    async def work(client: Client) -> None:
        made = await created(client, NODES, with_ready(raw_node("n1")))
        assert keys(made) == {NOT_READY}
        found = await until(client, NODES, "n1", lambda raw: not keys(raw) and "podCIDR" in member(raw, "spec"))
        assert member(found, "spec")["podCIDRs"] == ["10.9.0.0/24"]
        await until(client, NODES, "n1", lambda raw: ttl.TTL in member(member(raw, "metadata"), "annotations"))
        await told(client, "n1", "RegisteredNode")
        await created(client, PODS, raw_pod("short", "n1"))
        await created(client, PODS, raw_pod("long", "n1", tolerations=[{"operator": "Exists"}]))
        found = await until(client, NODES, "n1", lambda raw: keys(raw) == {UNREACHABLE})
        assert condition(found, "Ready")["message"] == "Kubelet stopped posting node status."
        assert (await told(client, "n1", "NodeNotReady"))["message"] == "Node n1 status is now: NodeNotReady"
        going = await until(client, PODS, "short", lambda raw: "deletionTimestamp" in member(raw, "metadata"))
        assert condition(going, "DisruptionTarget")["observedGeneration"] == 1
        await client.patch(PODS, "default", "short", {"metadata": {"labels": {"seen": "again"}}})
        await client.delete(PODS, "default", "short", {"gracePeriodSeconds": 0})
        await gone(client, PODS, "short")
        assert await evictions(client, "short") == [("Marking for deletion Pod default/short", 1)]
        stays = await until(client, PODS, "long", lambda _raw: True)
        assert "deletionTimestamp" not in member(stays, "metadata")

    options = ControllerOptions(cluster_cidr="10.9.0.0/16", node_monitor_grace_period=1.0)
    at_work(connection, [lifecycle, taint_eviction, ranges, ttl], work, options)
