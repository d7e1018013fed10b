"""The API server's warnings about a valid Pod, to the letter."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.view import pod_view
from podward.schema.warnings import on_create
from podward.stages.admission.order import completed


def warnings(spec: JsonObject, container: JsonObject | None = None, metadata: JsonObject | None = None) -> list[str]:
    good: JsonObject = {"name": "c", "image": "i", **(container or {})}
    raw = completed({"metadata": {"name": "p", **(metadata or {})}, "spec": {"containers": [good], **spec}}).stored
    return list(on_create(pod_view(raw), raw))


def test_an_ordinary_pod_is_not_warned_of() -> None:
    container: JsonObject = {
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}],
        "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 80, "protocol": "UDP"}],
        "resources": {"limits": {"memory": "1Gi", "cpu": "100m"}},
    }
    assert warnings({"volumes": [{"name": "v", "emptyDir": {}}]}, container) == []


@pytest.mark.parametrize(
    ("metadata", "warning"),
    [
        (
            {"name": "a.b"},
            (
                "metadata.name: this is used in the Pod's hostname, which can result in surprising"
                " behavior; a DNS label is"
                " recommended: [must not contain dots]"
            ),
        ),
        (
            {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}},
            (
                "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the"
                ' "seccompProfile" field instead'
            ),
        ),
        (
            {"annotations": {"container.seccomp.security.alpha.kubernetes.io/c": "unconfined"}},
            (
                "metadata.annotations[container.seccomp.security.alpha.kubernetes.io/c]: non-functional"
                " in v1.27+; use the"
                ' "seccompProfile" field instead'
            ),
        ),
        (
            {"annotations": {"scheduler.alpha.kubernetes.io/critical-pod": ""}},
            (
                "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the"
                ' "priorityClassName" field instead'
            ),
        ),
    ],
)
def test_metadata_is_warned_of(metadata: JsonObject, warning: str) -> None:
    assert warnings({}, {}, metadata) == [warning]


@pytest.mark.parametrize(
    ("container", "warning"),
    [
        (
            {"ports": [{"containerPort": 80}, {"containerPort": 80}]},
            "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        ),
        (
            {
                "ports": [
                    {"containerPort": 80, "hostPort": 8080},
                    {"containerPort": 80, "hostPort": 8080, "hostIP": "1.2.3.4"},
                ]
            },
            "spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
        ),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]},
            'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
        ),
        (
            {"resources": {"limits": {"memory": "1500m"}, "requests": {"memory": "1"}}},
            'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
        ),
    ],
)
def test_a_container_is_warned_of(container: JsonObject, warning: str) -> None:
    assert warnings({}, container) == [warning]


def test_a_variable_that_uses_what_it_hides_is_not_warned_of() -> None:
    assert warnings({}, {"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}]}) == []


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        (
            {"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
            'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
        ),
        (
            {"volumes": [{"name": "v", "gitRepo": {"repository": "r"}}]},
            "spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+",
        ),
        (
            {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]},
            'spec.imagePullSecrets[1].name: duplicate name "a"',
        ),
        ({"imagePullSecrets": [{}]}, 'spec.imagePullSecrets[0].name: invalid empty name ""'),
        (
            {"hostAliases": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]},
            'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
        ),
        (
            {"dnsConfig": {"nameservers": ["FD00::01"]}},
            'spec.dnsConfig.nameservers[0]: IPv6 address "FD00::01" should be in RFC 5952 canonical format ("fd00::1")',
        ),
        (
            {"nodeSelector": {"node-role.kubernetes.io/master": ""}},
            'spec.nodeSelector[node-role.kubernetes.io/master]: use "node-role.kubernetes.io/control-plane" instead',
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "k", "whenUnsatisfiable": "ScheduleAnyway"}]},
            "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
        ),
        (
            {"overhead": {"memory": "0.5"}},
            'spec.overhead[memory]: fractional byte value "500m" is invalid, must be an integer',
        ),
        (
            {
                "volumes": [
                    {
                        "name": "v",
                        "secret": {
                            "secretName": "s",
                            "items": [
                                {"key": "a", "path": "d"},
                                {"key": "b", "path": "d/e"},
                            ],
                        },
                    }
                ]
            },
            'volume "v" (Secret "s"): overlapping paths: "d/e" with "d"',
        ),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{}]}}]},
            'volume "v" (Projected) has no sources provided',
        ),
    ],
)
def test_a_spec_is_warned_of(spec: dict[str, Json], warning: str) -> None:
    assert warnings(spec) == [warning]


def test_warnings_come_in_the_servers_order() -> None:
    spec: JsonObject = {
        "imagePullSecrets": [{}],
        "nodeSelector": {"beta.kubernetes.io/arch": "amd64"},
    }
    found = warnings(spec, {"ports": [{"containerPort": 80}] * 2}, {"name": "a.b"})
    starts = [warning.partition(":")[0] for warning in found]
    assert starts == [
        "metadata.name",
        "spec.nodeSelector[beta.kubernetes.io/arch]",
        "spec.imagePullSecrets[0].name",
        "spec.containers[0].ports[1]",
    ]
