"""The EndpointSlices of a Service: the outcomes that the real reconciler's tests expect."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from service_objects import NODES, pod, service

from podward.api.json_value import JsonObject
from podward.controllers.endpoints.slices import MOST, Plan, planned
from podward.documents.raw_fields import member, objects


def plan(of: JsonObject, pods: Iterable[JsonObject], slices: Iterable[JsonObject] = ()) -> Plan:
    return planned(of, pods, slices, NODES.get, "2026-01-01T00:00:00Z")


def stored(made: JsonObject, name: str) -> JsonObject:
    return {**made, "metadata": {**member(made, "metadata"), "name": name}}


def many(count: int, first: int = 0) -> list[JsonObject]:
    return [pod(f"p{index}", f"10.1.{index // 250}.{index % 250 + 1}") for index in range(first, first + count)]


def sizes(slices: Iterable[JsonObject]) -> list[int]:
    return [len(objects(each, "endpoints")) for each in slices]


def test_a_slice_is_as_the_real_controller_makes_it() -> None:
    (made,) = plan(service(), [pod(hostname="h", subdomain="web")]).created
    assert made == {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": "web-",
            "namespace": "ns",
            "labels": {
                "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z"},
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": "web",
                    "uid": "u-web",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "addressType": "IPv4",
        "endpoints": [
            {
                "addresses": ["10.1.0.1"],
                "conditions": {"ready": True, "serving": True, "terminating": False},
                "targetRef": {"kind": "Pod", "namespace": "ns", "name": "p", "uid": "u-p"},
                "nodeName": "n1",
                "zone": "z1",
                "hostname": "h",
            }
        ],
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
    }


@pytest.mark.parametrize(
    ("of", "given", "conditions"),
    [
        (service(), pod(ready=False), (False, False, False)),
        (service(), pod(ending=True), (False, True, True)),
        (service(publishNotReadyAddresses=True), pod(ready=False), (True, False, False)),
        (service(publishNotReadyAddresses=True), pod(ending=True), (True, True, True)),
    ],
)
def test_what_ends_or_is_not_ready_is_told(of: JsonObject, given: JsonObject, conditions: tuple[bool, ...]) -> None:
    (made,) = plan(of, [given]).created
    (endpoint,) = objects(made, "endpoints")
    assert tuple(member(endpoint, "conditions").values()) == conditions


def test_a_service_without_endpoints_has_one_empty_slice_and_keeps_it() -> None:
    (empty,) = plan(service(), [{**pod(), "status": {"phase": "Running"}}]).created
    assert (empty["endpoints"], empty["ports"]) == ([], [])
    assert plan(service(), [], [stored(empty, "web-1")]) == Plan()


def test_what_is_right_is_left_alone() -> None:
    (made,) = plan(service(), [pod()]).created
    assert plan(service(), [pod()], [stored(made, "web-1")]) == Plan()


def test_the_empty_slice_becomes_the_first_one() -> None:
    (empty,) = plan(service(), []).created
    done = plan(service(), [pod()], [stored(empty, "web-1")])
    assert (sizes(done.updated), done.created, done.deleted) == ([1], [], [])
    assert member(done.updated[0], "metadata")["name"] == "web-1"


def test_slices_hold_a_hundred_and_are_filled_before_new_ones_are_made() -> None:
    first = plan(service(), many(MOST * 2 + 30))
    assert sizes(first.created) == [MOST, MOST, 30]
    there = [stored(each, f"web-{index}") for index, each in enumerate(first.created)]
    more = plan(service(), many(MOST * 2 + 60), there)
    assert (sizes(more.updated), more.created) == ([60], [])
    over = plan(service(), many(MOST * 2 + 140), there)
    assert (sizes(over.updated), sizes(over.created)) == ([40], [MOST])


def test_pods_whose_ports_differ_are_in_slices_of_their_own() -> None:
    of = service([{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "web"}])
    pods = [
        pod(name, f"10.1.0.{number}", containers=[{"ports": [{"name": "web", "containerPort": number}]}])
        for name, number in (("a", 1), ("b", 2))
    ]
    made = plan(of, pods).created
    assert sorted(port["port"] for each in made for port in objects(each, "ports")) == [1, 2]  # type: ignore[type-var]


def test_a_pod_of_a_node_that_is_gone_is_left_out_and_told() -> None:
    done = plan(service(), [pod(nodeName="gone"), pod("q", "10.1.0.2")])
    assert sizes(done.created) == [1]
    assert done.faults == ["skipping Pod p for Service ns/web: Node gone Not Found"]


def test_a_family_that_the_service_has_no_more_loses_its_slices() -> None:
    both = plan(service(ipFamilies=["IPv4", "IPv6"]), [pod()])
    there = [stored(each, f"web-{index}") for index, each in enumerate(both.created)]
    done = plan(service(), [pod()], there)
    assert [each["addressType"] for each in done.deleted] == ["IPv6"]
    assert (done.created, done.updated) == ([], [])


def test_a_slice_of_an_older_service_of_that_name_is_not_used_again() -> None:
    (made,) = plan(service(), [pod()]).created
    newer = service()
    member(newer, "metadata")["uid"] = "u-new"
    done = plan(newer, [pod()], [stored(made, "web-1")])
    assert (sizes(done.created), len(done.deleted), done.updated) == ([1], 1, [])


def test_labels_of_the_service_are_those_of_its_slices() -> None:
    (made,) = plan(service(), [pod()]).created
    of = service(clusterIP="None")
    member(of, "metadata")["labels"] = {"a": "b", "kubernetes.io/service-name": "no"}
    (changed,) = plan(of, [pod()], [stored(made, "web-1")]).updated
    assert member(member(changed, "metadata"), "labels") == {
        "a": "b",
        "service.kubernetes.io/headless": "",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }


def test_near_endpoints_are_for_their_zone_and_node() -> None:
    (made,) = plan(service(), [pod()]).created
    near = service(trafficDistribution="PreferSameNode")
    (hinted,) = plan(near, [pod()], [stored(made, "web-1")]).updated
    (endpoint,) = objects(hinted, "endpoints")
    assert endpoint["hints"] == {"forZones": [{"name": "z1"}], "forNodes": [{"name": "n1"}]}
    assert plan(near, [pod()], [hinted]) == Plan()
    (plain,) = plan(service(), [pod()], [hinted]).updated
    assert "hints" not in objects(plain, "endpoints")[0]
