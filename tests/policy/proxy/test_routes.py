"""Which endpoints a Service's port leads to: traffic policies, readiness, hints, and what is not ours to serve."""

from __future__ import annotations

import pytest
from proxied_services import endpoint, endpoints, found, service

from podward.api.json_value import Json, JsonObject
from podward.policy.proxy.routes import Route


def told(route: Route) -> tuple[str, str, bool]:
    return " ".join(map(str, route.cluster)), " ".join(map(str, route.local)), route.anywhere


NOT_READY: JsonObject = {"ready": False}
LEAVING: JsonObject = {"ready": False, "serving": True, "terminating": True}
GONE: JsonObject = {"ready": False, "serving": False, "terminating": True}
A, B = endpoint("10.9.0.2", "n1"), endpoint("10.8.0.3", "far")
NODE_PORT: JsonObject = {
    "type": "NodePort",
    "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}],
}
CASES: dict[str, tuple[JsonObject, list[JsonObject], tuple[str, str, bool]]] = {
    "every ready one": ({}, [A, B], ("10.8.0.3:8080 10.9.0.2:8080", "", True)),
    "none": ({}, [], ("", "", False)),
    "what is not ready is left out": (
        {},
        [A, endpoint("10.9.0.9", "n1", conditions=NOT_READY)],
        ("10.9.0.2:8080", "", True),
    ),
    "only what is not ready": ({}, [endpoint("10.9.0.9", conditions=NOT_READY)], ("", "", False)),
    "without a ready one those that end and still serve": (
        {},
        [endpoint("10.9.0.4", conditions=LEAVING), endpoint("10.9.0.5", conditions=GONE)],
        ("10.9.0.4:8080", "", True),
    ),
    "one that ends gives way to a ready one": (
        {},
        [A, endpoint("10.9.0.4", conditions=LEAVING)],
        ("10.9.0.2:8080", "", True),
    ),
    "inside local": ({"internalTrafficPolicy": "Local"}, [A, B], ("", "10.9.0.2:8080", True)),
    "inside local, and none here": ({"internalTrafficPolicy": "Local"}, [B], ("", "", True)),
    "a node beside us on this machine is here": (
        {"internalTrafficPolicy": "Local"},
        [endpoint("10.9.1.2", "n2")],
        ("", "10.9.1.2:8080", True),
    ),
    "outside local keeps both": (
        {**NODE_PORT, "externalTrafficPolicy": "Local"},
        [A, B],
        ("10.8.0.3:8080 10.9.0.2:8080", "10.9.0.2:8080", True),
    ),
    "outside local, the last one here ends": (
        {**NODE_PORT, "externalTrafficPolicy": "Local"},
        [endpoint("10.9.0.4", "n1", conditions=LEAVING), B],
        ("10.8.0.3:8080", "10.9.0.4:8080", True),
    ),
    "outside local without a way in from outside": (
        {"externalTrafficPolicy": "Local"},
        [A],
        ("10.9.0.2:8080", "", True),
    ),
    "all have zones, one is ours": (
        {},
        [
            endpoint("10.9.0.2", hints={"forZones": [{"name": "west"}]}),
            endpoint("10.9.0.3", hints={"forZones": [{"name": "east"}]}),
        ],
        ("10.9.0.2:8080", "", True),
    ),
    "one without a hint makes them void": (
        {},
        [endpoint("10.9.0.2", hints={"forZones": [{"name": "west"}]}), endpoint("10.9.0.3")],
        ("10.9.0.2:8080 10.9.0.3:8080", "", True),
    ),
    "no zone is ours": (
        {},
        [endpoint("10.9.0.3", hints={"forZones": [{"name": "east"}]})],
        ("10.9.0.3:8080", "", True),
    ),
    "our node goes before our zone": (
        {},
        [
            endpoint("10.9.0.2", hints={"forZones": [{"name": "west"}], "forNodes": [{"name": "far"}]}),
            endpoint("10.9.0.3", hints={"forZones": [{"name": "west"}], "forNodes": [{"name": "n1"}]}),
        ],
        ("10.9.0.3:8080", "", True),
    ),
    "what is no IPv4 address": ({}, [endpoint("fd00::1"), endpoint("10.9.0.2; drop")], ("", "", False)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_endpoints_of_a_policy(case: str) -> None:
    spec, listed, expected = CASES[case]

    (route,) = found(service(**spec), endpoints(*listed))

    assert told(route) == expected


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "ExternalName", "externalName": "example.org"},
        {"clusterIP": "None"},
        {"clusterIP": ""},
        {"clusterIP": "fd00::5"},
    ],
)
def test_a_service_without_an_address_of_its_own_has_no_route(spec: JsonObject) -> None:
    assert found(service(**spec), endpoints(A)) == ()


def test_a_service_of_another_proxy_has_no_route() -> None:
    other = service()
    other["metadata"] = {"name": "web", "namespace": "shop", "labels": {"service.kubernetes.io/service-proxy-name": ""}}

    assert found(other, endpoints(A)) == ()


def test_ports_are_told_apart_by_name_and_protocol() -> None:
    both: Json = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    slices = [
        endpoints(A, port=5353, name="dns", protocol="UDP"),
        endpoints(B, port=5354, name="dns-tcp"),
        endpoints(B, port=1, name="dns"),
    ]

    udp, tcp = found(service(ports=both), *slices)

    assert [told(udp)[0], told(tcp)[0]] == ["10.9.0.2:5353", "10.8.0.3:5354"]


def test_several_slices_and_the_same_address_in_two() -> None:
    waiting = endpoints(endpoint("10.9.0.2", "n1", conditions=NOT_READY), endpoint("10.9.0.7"))

    (route,) = found(service(), waiting, endpoints(A))

    assert told(route)[0] == "10.9.0.2:8080 10.9.0.7:8080"


@pytest.mark.parametrize(
    ("spec", "seconds"),
    [
        ({}, 0),
        ({"sessionAffinity": "ClientIP"}, 10800),
        ({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 7}}}, 7),
    ],
)
def test_how_long_a_client_stays(spec: JsonObject, seconds: int) -> None:
    (route,) = found(service(**spec), endpoints(A))

    assert route.stays == seconds


def test_where_it_is_reached_from_outside() -> None:
    of = service(**NODE_PORT, externalIPs=["192.0.2.7", "fd00::7"], loadBalancerSourceRanges=["198.51.100.0/24", "x"])
    of["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.8"}, {"ip": "192.0.2.9", "ipMode": "Proxy"}]}}

    (route,) = found(of, endpoints(A))

    assert (route.node_port, route.external, route.balanced, route.allowed_sources) == (
        30080,
        ("192.0.2.7",),
        ("192.0.2.8",),
        ("198.51.100.0/24",),
    )
