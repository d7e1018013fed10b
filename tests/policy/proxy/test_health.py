"""What load balancers are told."""

from __future__ import annotations

import json

import pytest
from proxied_services import HERE, endpoint, endpoints, service

from podward.api.json_value import JsonObject
from podward.api.service import service_of, slice_of
from podward.policy.proxy.health import HealthCheck, answer, health_checks

WEB = ("shop", "web")
BALANCED: JsonObject = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001}


def checks(of: JsonObject, *slices: JsonObject) -> dict[tuple[str, str], HealthCheck]:
    viewed = service_of(of)
    assert viewed is not None
    return health_checks([viewed], [each for each in map(slice_of, slices) if each is not None], HERE)


def test_ready_endpoints_of_this_machine_count_each_address_once() -> None:
    listed = endpoints(
        endpoint("10.1.0.1", "n1"),
        endpoint("10.1.0.2", "n2", conditions={"ready": True}),
        endpoint("10.1.0.3", "n3"),
        endpoint("10.1.0.4", "n1", conditions={"ready": False, "serving": True, "terminating": True}),
    )
    again = endpoints(endpoint("10.1.0.1", "n1"), name="other")
    assert checks(service(**BALANCED), listed, again) == {WEB: HealthCheck(30001, 2)}


def test_without_endpoints_there_is_an_answer_too() -> None:
    assert checks(service(**BALANCED)) == {WEB: HealthCheck(30001, 0)}


@pytest.mark.parametrize(
    "other",
    [
        {"type": "NodePort"},
        {"externalTrafficPolicy": "Cluster"},
        {"healthCheckNodePort": 0},
        {"clusterIP": "fd00::1"},
    ],
)
def test_other_services_are_not_answered_for(other: JsonObject) -> None:
    assert checks(service(**{**BALANCED, **other}), endpoints(endpoint("10.1.0.1", "n1"))) == {}


@pytest.mark.parametrize(
    ("count", "rules", "code"), [(0, "good", 503), (1, "good", 200), (2, "good", 200), (2, "old", 503)]
)
def test_only_a_machine_with_endpoints_and_good_rules_is_to_be_sent_to(count: int, rules: str, code: int) -> None:
    said = answer(WEB, count, healthy=rules == "good")
    assert (said.code, said.headers["X-Load-Balancing-Endpoint-Weight"]) == (code, str(count))
    assert json.loads(said.body) == {
        "service": {"namespace": "shop", "name": "web"},
        "localEndpoints": count,
        "serviceProxyHealthy": rules == "good",
    }


def test_the_body_is_written_as_kube_proxy_writes_it() -> None:
    assert answer(WEB, 3, healthy=True).body == (
        '{\n\t"service": {\n\t\t"namespace": "shop",\n\t\t"name": "web"\n\t},\n'
        '\t"localEndpoints": 3,\n\t"serviceProxyHealthy": true\n}'
    )
