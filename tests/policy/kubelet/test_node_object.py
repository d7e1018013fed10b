"""The Node object that a node registers, and how its status changes."""

from __future__ import annotations

import pytest

from podward.api.cri_requests import StatusResponse
from podward.api.cri_status import (
    Image,
    RuntimeCondition,
    RuntimeFeatures,
    RuntimeHandler,
    RuntimeHandlerFeatures,
    RuntimeStatus,
)
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import node_object
from podward.policy.kubelet.node_object import MachineInfo, NodeIdentity, NodeSeen, RuntimeSeen

IDENTITY = NodeIdentity("n1", "192.0.2.7", 10250, {"disk": "ssd", "kubernetes.io/arch": "mine"})
MACHINE = MachineInfo("amd64", "6.1", "Debian", "m", "s", "b", 4, 8 << 30, 100 << 30, hugepages={"2Mi": 1 << 30})
READY = StatusResponse(
    RuntimeStatus((RuntimeCondition("RuntimeReady", status=True), RuntimeCondition("NetworkReady", status=True))),
    runtime_handlers=(RuntimeHandler("crun", RuntimeHandlerFeatures(True, False)), RuntimeHandler("old")),
    features=RuntimeFeatures(supplemental_groups_policy=True),
)
EARLIER, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def status(
    before: JsonObject | None = None, *, told: StatusResponse = READY, failure: str = "", now: str = EARLIER
) -> JsonObject:
    seen = NodeSeen(IDENTITY, MACHINE, RuntimeSeen("podward", "1", told, failure), (Image("a", size=1),))
    return node_object.status(seen, before or {}, now)


def ready(found: JsonObject) -> JsonObject:
    return objects(found, "conditions")[-1]


def test_all_is_allocatable_but_the_memory_of_huge_pages() -> None:
    found = status()
    assert found["capacity"] == {
        "cpu": "4", "memory": "8388608Ki", "ephemeral-storage": "104857600Ki", "hugepages-2Mi": "1073741824",
        "pods": "110",
    }  # fmt: skip
    allocatable = member(found, "allocatable")
    assert allocatable == {**member(found, "capacity"), "memory": "7340032Ki"}


def test_features_are_declared_in_the_order_that_a_server_asks_for() -> None:
    declared = status()["declaredFeatures"]
    assert isinstance(declared, list)
    assert declared == sorted(map(str, declared))
    assert "RestartAllContainersOnContainerExits" in declared


def test_what_the_runtime_can_is_told() -> None:
    found = status()
    assert found["features"] == {"supplementalGroupsPolicy": True}
    assert found["runtimeHandlers"] == [
        {"name": "crun", "features": {"recursiveReadOnlyMounts": True, "userNamespaces": False}},
        {"name": "old", "features": {"recursiveReadOnlyMounts": False, "userNamespaces": False}},
    ]
    assert member(found, "nodeInfo")["containerRuntimeVersion"] == "podward://1"


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = status()
    after = status(before, now=LATER)
    assert (ready(after)["lastHeartbeatTime"], ready(after)["lastTransitionTime"]) == (LATER, EARLIER)
    assert not node_object.changes(before, after)
    down = status(after, failure="gone", now=LATER)
    assert (ready(down)["status"], ready(down)["lastTransitionTime"]) == ("False", LATER)
    assert node_object.changes(after, down)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("RuntimeReady", "container runtime not ready: RuntimeReady=false reason:Why message:because"),
        ("NetworkReady", "container runtime network not ready: NetworkReady=false reason:Why message:because"),
    ],
)
def test_a_node_whose_runtime_is_not_ready_says_why(kind: str, message: str) -> None:
    found = status(told=StatusResponse(RuntimeStatus((RuntimeCondition(kind, False, "Why", "because"),))))
    assert (ready(found)["reason"], ready(found)["message"]) == ("KubeletNotReady", message)


def test_given_labels_come_over_those_of_the_machine() -> None:
    made = node_object.registered(IDENTITY, MACHINE, {})
    labels = member(member(made, "metadata"), "labels")
    assert (labels["kubernetes.io/arch"], labels["kubernetes.io/os"], labels["disk"]) == ("mine", "linux", "ssd")


def test_of_many_images_the_largest_are_told() -> None:
    images = tuple(Image(str(size), tuple(f"i{size}:{n}" for n in range(9)), size=size) for size in range(60))
    seen = NodeSeen(IDENTITY, MACHINE, RuntimeSeen(status=READY), images)
    told = objects(node_object.status(seen, {}, EARLIER), "images")
    assert [row["sizeBytes"] for row in told] == [*range(59, 9, -1)]
    assert told[0]["names"] == [f"i59:{n}" for n in range(5)]


def test_addresses_are_replaced_and_others_conditions_stay() -> None:
    patch = member(node_object.patch(status()), "status")
    assert objects(patch, "addresses")[-1] == {"$patch": "replace"}
    assert not any("$patch" in row for row in objects(patch, "conditions"))
