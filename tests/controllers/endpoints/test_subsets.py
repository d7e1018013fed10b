"""The Endpoints of a Service: the outcomes that the real controller's tests expect."""

from __future__ import annotations

import pytest
from service_objects import pod, service

from podward.api.json_value import Json, JsonObject
from podward.controllers.endpoints.mirroring import mirrored
from podward.controllers.endpoints.slices import Plan
from podward.controllers.endpoints.subsets import changed, repacked, wanted
from podward.documents.raw_fields import member, objects


def ips(subset: JsonObject, which: str = "addresses") -> list[object]:
    return [each["ip"] for each in objects(subset, which)]


def test_pods_with_the_same_ports_are_one_subset() -> None:
    two: list[Json] = [{"name": "a", "port": 80, "targetPort": 8080}, {"name": "b", "port": 81, "targetPort": 8081}]
    (subset,) = wanted(service(two), [pod("q", "10.1.0.2"), pod(), pod("r", "10.1.0.3", ready=False)])
    assert ips(subset) == ["10.1.0.1", "10.1.0.2"]
    assert ips(subset, "notReadyAddresses") == ["10.1.0.3"]
    assert [each["port"] for each in objects(subset, "ports")] == [8080, 8081]


@pytest.mark.parametrize(
    ("of", "given", "count"),
    [
        (service(), pod(ending=True), 0),
        (service(publishNotReadyAddresses=True), pod(ending=True), 1),
        (service([]), pod(), 0),
        (service([], clusterIP="None"), pod(), 1),
        (service(ipFamilies=["IPv6"]), pod(), 0),
        (service([{"port": 80, "targetPort": "absent"}]), pod(), 0),
    ],
)
def test_which_pods_are_there(of: JsonObject, given: JsonObject, count: int) -> None:
    assert len(wanted(of, [given])) == count


def test_what_is_not_ready_for_a_port_is_not_though_another_says_so() -> None:
    port: JsonObject = {"port": 1}
    address: JsonObject = {"ip": "10.0.0.9"}
    assert repacked([{"addresses": [address], "ports": [port]}, {"notReadyAddresses": [address], "ports": [port]}]) == [
        {"notReadyAddresses": [address], "ports": [{"port": 1, "protocol": "TCP"}]}
    ]


def test_a_headless_service_is_told_by_a_label_and_nothing_is_written_twice() -> None:
    of = service(clusterIP="None")
    made = changed(of, wanted(of, [pod()]), None, "2026-01-01T00:00:00Z")
    assert made is not None
    assert member(member(made, "metadata"), "labels") == {
        "service.kubernetes.io/headless": "",
        "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    }
    assert changed(of, wanted(of, [pod()]), made, "") is None
    assert changed(of, wanted(of, []), made, "") is not None


def test_a_thousand_addresses_are_enough() -> None:
    pods = [pod(f"p{index}", f"10.{index // 60000}.{index // 250}.{index % 250 + 1}") for index in range(1005)]
    made = changed(service(), wanted(service(), pods), None, "")
    assert made is not None
    assert len(ips(objects(made, "subsets")[0])) == 1000
    assert member(member(made, "metadata"), "annotations") == {"endpoints.kubernetes.io/over-capacity": "truncated"}


def endpoints(*addresses: str) -> JsonObject:
    listed: list[Json] = [{"ip": ip} for ip in addresses]
    subset: Json = {"addresses": listed, "ports": [{"name": "x", "port": 80, "protocol": "TCP"}]}
    metadata: Json = {"name": "e", "namespace": "ns", "uid": "u", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    return {"metadata": metadata, "subsets": [subset]}


def test_endpoints_made_by_hand_are_mirrored_by_family() -> None:
    done = mirrored(endpoints("10.0.0.1", "fd00::1"), [])
    assert [each["addressType"] for each in done.created] == ["IPv4", "IPv6"]
    of = member(done.created[0], "metadata")
    assert (of["generateName"], of["annotations"]) == ("e-", {"c": "d"})
    assert of["labels"] == {
        "a": "b",
        "kubernetes.io/service-name": "e",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }


def test_what_is_mirrored_is_left_alone_changed_and_deleted() -> None:
    (made,) = mirrored(endpoints("10.0.0.1"), []).created
    there = {**made, "metadata": {**member(made, "metadata"), "name": "e-1"}}
    assert mirrored(endpoints("10.0.0.1"), [there]) == Plan()
    (changed,) = mirrored(endpoints("10.0.0.2"), [there]).updated
    assert "generateName" not in member(changed, "metadata")
    gone = mirrored(endpoints(), [there])
    assert (gone.updated, gone.deleted) == ([], [there])
