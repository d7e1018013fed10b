"""Services and slices as tests of the proxy and of DNS write them."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.service import service_of, slice_of
from podward.policy.proxy.routes import Machine, Route, routes

HERE = Machine(frozenset(("n1", "n2")), "west")


def service(**spec: Json) -> JsonObject:
    ports: Json = [{"name": "http", "port": 80, "protocol": "TCP"}]
    return {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.5", "ports": ports, **spec},
    }


def endpoint(address: str, node: str = "", **more: Json) -> JsonObject:
    return {"addresses": [address], "nodeName": node, **more}


def endpoints(*listed: JsonObject, port: int = 8080, name: str = "http", protocol: str = "TCP") -> JsonObject:
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": list(listed),
        "ports": [{"name": name, "port": port, "protocol": protocol}],
    }


def found(of: JsonObject, *slices: JsonObject, machine: Machine = HERE) -> tuple[Route, ...]:
    viewed = service_of(of)
    assert viewed is not None
    return routes([viewed], [each for each in map(slice_of, slices) if each is not None], machine)
