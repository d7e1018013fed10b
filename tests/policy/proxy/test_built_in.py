"""Endpoints that a node knows by itself, and when those of others count."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.service import Service, service_of, slice_of
from podward.policy.proxy.built_in import BuiltIn, completed
from podward.policy.proxy.routes import Machine, routes

KNOWN = BuiltIn("10.0.0.10", ("192.0.2.1", {"UDP": 5301, "TCP": 5302}), ("127.0.0.1", {"TCP": 6443}))

ELSEWHERE = BuiltIn(server=("198.51.100.7", {"TCP": 6443}))


def made(namespace: str, name: str, address: str, ports: Json) -> Service:
    of = service_of(
        {"metadata": {"name": name, "namespace": namespace}, "spec": {"clusterIP": address, "ports": ports}}
    )
    assert of is not None
    return of


DNS_PORTS: Json = [
    {"name": "udp", "port": 53, "protocol": "UDP"},
    {"name": "tcp", "port": 53, "protocol": "TCP"},
    {"name": "metrics", "port": 9153, "protocol": "TCP"},
]
SERVER = made("default", "kubernetes", "10.0.0.1", [{"name": "https", "port": 443, "protocol": "TCP"}])


def led(services: list[Service], *slices: JsonObject, known: BuiltIn = KNOWN) -> dict[str, str]:
    """Where each address and port leads."""
    views = [each for each in map(slice_of, slices) if each is not None]
    found = routes(*completed(services, views, known), Machine())
    return {f"{each.address}:{each.port}/{each.protocol}": " ".join(map(str, each.cluster)) for each in found}


def slice_for(name: str, address: str, port: int, port_name: str) -> JsonObject:
    return {
        "metadata": {"name": "x", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]}],
        "ports": [{"name": port_name, "port": port, "protocol": "TCP"}],
    }


def test_a_server_that_tells_no_address_is_reached_where_the_node_reaches_it() -> None:
    assert led([SERVER])["10.0.0.1:443/tcp"] == "127.0.0.1:6443"
    assert led([SERVER], known=ELSEWHERE)["10.0.0.1:443/tcp"] == "198.51.100.7:6443"


def test_a_server_that_tells_its_address_is_reached_there_unless_it_listens_on_loopback() -> None:
    told = slice_for("kubernetes", "192.0.2.9", 6443, "https")

    assert led([SERVER], told, known=ELSEWHERE)["10.0.0.1:443/tcp"] == "192.0.2.9:6443"
    assert led([SERVER], told)["10.0.0.1:443/tcp"] == "127.0.0.1:6443"


def test_what_such_a_server_tells_of_itself_leads_there_too() -> None:
    told = slice_of(slice_for("kubernetes", "192.0.2.9", 6444, "https"))
    assert told is not None

    found = routes(*completed([SERVER], [told], KNOWN), Machine())

    (extra,) = (each for each in found if each.external)
    assert (extra.external, extra.port, list(map(str, extra.cluster))) == (("192.0.2.9",), 6444, ["127.0.0.1:6443"])


def test_the_clusters_dns_is_served_without_a_service() -> None:
    assert led([]) == {"10.0.0.10:53/udp": "192.0.2.1:5301", "10.0.0.10:53/tcp": "192.0.2.1:5302"}


def test_a_dns_service_without_endpoints_gets_ours_by_its_ports_names() -> None:
    assert led([made("kube-system", "coredns", "10.0.0.10", DNS_PORTS)]) == {
        "10.0.0.10:53/udp": "192.0.2.1:5301",
        "10.0.0.10:53/tcp": "192.0.2.1:5302",
        "10.0.0.10:9153/tcp": "",
    }


def test_a_dns_that_runs_in_pods_keeps_its_endpoints() -> None:
    service = made("default", "dns", "10.0.0.10", DNS_PORTS)

    assert led([service], slice_for("dns", "10.9.0.7", 53, "tcp"))["10.0.0.10:53/tcp"] == "10.9.0.7:53"


def test_a_node_without_either_adds_nothing() -> None:
    assert led([SERVER], known=BuiltIn()) == {"10.0.0.1:443/tcp": ""}
