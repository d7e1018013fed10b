"""Which Services a container is told of, and how."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json
from podward.api.service import Service, service_of
from podward.policy.kubelet.service_environment import variables


def made(namespace: str, name: str, address: str, *ports: Json) -> Service:
    of = service_of(
        {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterIP": address, "ports": list(ports) or [{"port": 443, "name": "https", "protocol": "TCP"}]},
        }
    )
    assert of is not None
    return of


KUBERNETES = made("default", "kubernetes", "10.0.0.1")
REDIS = made("shop", "redis-primary", "10.0.0.11", {"port": 6379, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"})
OTHERS = [made("bar", "other", "10.0.0.12"), made("shop", "headless", "None"), made("default", "web", "10.0.0.13")]


def test_every_variable_of_a_service() -> None:
    assert variables([REDIS], "shop", links=True) == {
        "REDIS_PRIMARY_SERVICE_HOST": "10.0.0.11",
        "REDIS_PRIMARY_SERVICE_PORT": "6379",
        "REDIS_PRIMARY_PORT": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_PRIMARY_PORT_6379_TCP_PORT": "6379",
        "REDIS_PRIMARY_PORT_6379_TCP_ADDR": "10.0.0.11",
        "REDIS_PRIMARY_PORT_53_UDP": "udp://10.0.0.11:53",
        "REDIS_PRIMARY_PORT_53_UDP_PROTO": "udp",
        "REDIS_PRIMARY_PORT_53_UDP_PORT": "53",
        "REDIS_PRIMARY_PORT_53_UDP_ADDR": "10.0.0.11",
    }


@pytest.mark.parametrize(
    ("namespace", "links", "hosts"),
    [
        ("shop", True, {"KUBERNETES", "REDIS_PRIMARY"}),
        ("shop", False, {"KUBERNETES"}),
        ("empty", True, {"KUBERNETES"}),
        ("default", True, {"KUBERNETES", "WEB"}),
    ],
)
def test_which_services_are_told(namespace: str, links: bool, hosts: set[str]) -> None:  # noqa: FBT001 - a table's
    found = variables([KUBERNETES, REDIS, *OTHERS], namespace, links=links)

    assert {name.removesuffix("_SERVICE_HOST") for name in found if name.endswith("_SERVICE_HOST")} == hosts


@pytest.mark.parametrize("turned", [False, True])
def test_a_service_of_the_pods_own_namespace_stands_in_front_of_kubernetes(turned: bool) -> None:  # noqa: FBT001
    own = made("shop", "kubernetes", "10.0.0.99")
    both = [own, KUBERNETES] if turned else [KUBERNETES, own]

    assert variables(both, "shop", links=True)["KUBERNETES_SERVICE_HOST"] == "10.0.0.99"


def test_named_ports() -> None:
    assert variables([KUBERNETES], "x", links=False)["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
