"""The rules about containers, one by one, to the letter (pkg/apis/core/validation)."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.validation.pod import validate
from podward.schema.view import pod_view
from podward.stages.admission.order import completed

C = "spec.containers[0]"
COMMAND: JsonObject = {"exec": {"command": ["true"]}}


def refusals(container: JsonObject) -> list[str]:
    raw = completed(
        {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", **container}]}}
    ).stored
    return [f"{violation.path}: {violation.reason}" for violation in validate(pod_view(raw), raw).violations]


@pytest.mark.parametrize(
    ("variable", "error"),
    [
        ({"name": ""}, f"{C}.env[0].name: Required value"),
        (
            {"name": "a=b"},
            (
                f'{C}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist'
                " only of printable"
                " ASCII characters other than '='"
            ),
        ),
        (
            {"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        ),
        (
            {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}},
            (
                f'{C}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": error converting'
                " fieldPath: field label"
                " not supported: spec.nope"
            ),
        ),
        (
            {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "2"}}},
            (
                f'{C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only'
                " divisor's values 1m and 1"
                " are supported with the cpu resource"
            ),
        ),
        (
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": ""}}},
            f"{C}.env[0].valueFrom.secretKeyRef.key: Required value",
        ),
    ],
)
def test_a_variable_is_refused(variable: JsonObject, error: str) -> None:
    assert refusals({"env": [variable]}) == [error]


@pytest.mark.parametrize(
    ("ports", "error"),
    [
        ([{}], ".ports[0].containerPort: Required value"),
        (
            [{"containerPort": 70000}],
            ".ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            [{"containerPort": 80, "protocol": "HTTP"}],
            '.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
        ),
        (
            [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}],
            '.ports[1].name: Duplicate value: "a"',
        ),
        (
            [{"containerPort": 1, "hostPort": 1}, {"containerPort": 2, "hostPort": 1}],
            '.ports[1].hostPort: Duplicate value: "TCP//1"',
        ),
        (
            [{"containerPort": 1, "name": "1-1"}],
            '.ports[0].name: Invalid value: "1-1": must contain at least one letter (a-z)',
        ),
    ],
)
def test_a_port_is_refused(ports: list[JsonObject], error: str) -> None:
    assert refusals({"ports": list(ports)}) == [C + error]


@pytest.mark.parametrize(
    ("resources", "error"),
    [
        (
            {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
            '.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
        ),
        ({"requests": {"memory": "-1"}}, '.requests[memory]: Invalid value: "-1": must be greater than or equal to 0'),
        (
            {"requests": {"example.com/x": "1"}},
            ".limits: Required value: Limit must be set for non overcommitable resources",
        ),
        (
            {"claims": [{"name": "x"}]},
            '.claims[0]: Not found: "x": must be one of the names in pod.spec.resourceClaims which is empty',
        ),
    ],
)
def test_resources_are_refused(resources: JsonObject, error: str) -> None:
    assert refusals({"resources": resources}) == [f"{C}.resources{error}"]


def test_huge_pages_of_a_size_beyond_64_bits_are_refused() -> None:
    found = refusals({"resources": {"limits": {"cpu": "1", "hugepages-10E": "10E"}}})
    assert found[0].endswith('Invalid value: "10E": 10E is not positive integer multiple of hugepages-10E')


@pytest.mark.parametrize(
    ("name", "amount", "error"),
    [
        ("example.com/x", "1Ei", 'Invalid value: "1Ei": must be an integer'),
        ("example.com/x", "1n", 'Invalid value: "1m": must be an integer'),
        ("hugepages-2Mi", "3Mi", 'Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi'),
        ("hugepages-2Mi", "1e30", ""),
    ],
)
def test_an_amount_is_judged_as_it_is_stored_and_in_64_bits(name: str, amount: str, error: str) -> None:
    places = [f"{C}.resources.{kind}[{name}]: {error}" for kind in ("limits", "requests")]
    assert refusals({"resources": {"limits": {name: amount, "cpu": "1"}}}) == (places if error else [])


def of_the_pod(resources: JsonObject, *containers: JsonObject) -> list[str]:
    named: list[Json] = [{"name": f"c{i}", "image": "i", "resources": own} for i, own in enumerate(containers)]
    raw = completed({"metadata": {"name": "p"}, "spec": {"resources": resources, "containers": named}}).stored
    return [f"{violation.path}: {violation.reason}" for violation in validate(pod_view(raw), raw).violations]


def test_resources_of_the_pod_are_refused() -> None:
    known = 'supported values: "cpu", "hugepages-", "memory"'
    assert of_the_pod({"requests": {"pods": "1"}}, {}) == [
        f'spec.resources.requests[pods]: Unsupported value: "pods": {known}'
    ]
    hundredth: JsonObject = {"requests": {"cpu": "100u"}}
    together = "must be greater than or equal to aggregate container requests of 2m"
    assert of_the_pod({"limits": {"cpu": "1"}}, hundredth, hundredth) == [
        f'spec.resources.requests[cpu]: Invalid value: "1m": {together}'
    ]
    assert of_the_pod({"limits": {"hugepages-2Mi": "2Mi"}}, {}) == [
        "spec.resources: Forbidden: HugePages require cpu or memory"
    ]
    assert of_the_pod({"limits": {"hugepages-2Mi": "2Mi"}}, {"requests": {"memory": "1"}}) == []


@pytest.mark.parametrize(
    ("container", "error"),
    [
        ({"livenessProbe": {}}, ".livenessProbe: Required value: must specify a handler type"),
        (
            {"livenessProbe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 1}}},
            ".livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {"livenessProbe": COMMAND | {"successThreshold": 2}},
            ".livenessProbe.successThreshold: Invalid value: 2: must be 1",
        ),
        (
            {"readinessProbe": COMMAND | {"terminationGracePeriodSeconds": 1}},
            ".readinessProbe.terminationGracePeriodSeconds: Invalid value: 1: must not be set for readinessProbes",
        ),
        (
            {"livenessProbe": COMMAND | {"periodSeconds": -1}},
            ".livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"livenessProbe": {"httpGet": {"port": 80, "scheme": "FTP"}}},
            '.livenessProbe.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
        ),
        (
            {"lifecycle": {"preStop": {"sleep": {"seconds": 100}}}},
            (
                ".lifecycle.preStop.sleep: Invalid value: 100: must be non-negative and less than"
                " terminationGracePeriodSeconds (30)"
            ),
        ),
        (
            {"resizePolicy": [{"resourceName": "cpu", "restartPolicy": "x"}]},
            '.resizePolicy: Unsupported value: "x": supported values: "NotRequired", "RestartContainer"',
        ),
    ],
)
def test_a_probe_or_hook_is_refused(container: JsonObject, error: str) -> None:
    assert refusals(container) == [C + error]
