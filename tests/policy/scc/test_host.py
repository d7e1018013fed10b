"""hostNetwork, hostPID, hostIPC, hostPorts and hostUsers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc import host
from podward.policy.scc.violation import SccViolation

Decide = Callable[..., Decision]
CONTAINERS: JsonObject = {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}


def printed(made: Decision) -> list[str]:
    return [one.printed for one in made.violations if isinstance(one, SccViolation)]


@pytest.mark.parametrize(
    ("field", "allowing", "what"),
    [
        ("hostNetwork", "allowHostNetwork", "Host network"),
        ("hostPID", "allowHostPID", "Host PID"),
        ("hostIPC", "allowHostIPC", "Host IPC"),
    ],
)
def test_a_flag_is_refused_for_the_pod_and_once_for_each_container(
    decide: Decide, field: str, allowing: str, what: str
) -> None:
    spec = {**CONTAINERS, field: True}
    made = decide({allowing: False}, spec)
    assert printed(made) == [
        f"provider mine: {place}.{field}: Invalid value: true: {what} is not allowed to be used"
        for place in (".spec", ".initContainers[0]", ".containers[0]", ".containers[1]")
    ]
    assert {str(one.path) for one in made.violations} == {f"spec.{field}"}
    assert decide({allowing: True}, spec) == Decision()
    assert decide({allowing: None}, {**CONTAINERS, field: False}) == Decision()


def test_every_port_is_refused_once_for_each_container(decide: Decide) -> None:
    spec: JsonObject = {
        "containers": [{"name": "a", "ports": [{"hostPort": 0}, {"hostPort": 80}, {"containerPort": 5}]}],
        "ephemeralContainers": [{"name": "e", "ports": [{"hostPort": 81}]}],
    }
    made = decide({"allowHostPorts": False}, spec)
    assert [(str(one.path), text) for one, text in zip(made.violations, printed(made), strict=True)] == [
        (
            f"spec.{inner}.ports[{index}].hostPort",
            f"provider mine: .{outer}.{inner}.hostPort: Invalid value: {port}: Host ports are not allowed to be used",
        )
        for outer in ("containers[0]", "ephemeralContainers[0]")
        for inner, index, port in (("containers[0]", 1, 80), ("ephemeralContainers[0]", 0, 81))
    ]
    assert decide({"allowHostPorts": True}, spec) == Decision()


@pytest.mark.parametrize(
    ("level", "asked", "text"),
    [
        ("RequirePodLevel", {}, "null"),
        ("RequirePodLevel", {"hostUsers": True}, "true"),
        ("RequirePodLevel", {"hostUsers": False}, ""),
        ("AllowHostLevel", {"hostUsers": True}, ""),
        (None, {}, ""),
    ],
)
def test_whether_a_pod_must_have_users_of_its_own(
    decide: Decide, level: str | None, asked: JsonObject, text: str
) -> None:
    made = decide({"userNamespaceLevel": level}, {**CONTAINERS, **asked})
    refusal = f"provider mine: .spec.hostUsers: Invalid value: {text}: Host Users must be set to false"
    assert printed(made) == ([refusal] if text else [])
    assert not made.assignments


def test_a_pod_of_many_containers_and_ports_is_refused_without_a_word_for_every_pair(decide: Decide) -> None:
    containers = [{"name": f"c{index}", "ports": [{"hostPort": 80}]} for index in range(2_000)]
    made = decide({"allowHostPorts": False}, {"containers": containers})
    assert 2_000 <= len(made.violations) <= host.MOST_PORT_ERRORS
    refused = {violation.printed.split(".hostPort")[0] for violation in made.violations}  # type: ignore[attr-defined]
    assert "provider mine: .containers[1999].containers[0]" in refused


def test_a_hundred_containers_with_a_port_each_have_every_pair_told(decide: Decide) -> None:
    containers = [{"name": f"c{index}", "ports": [{"hostPort": 80}]} for index in range(100)]
    assert len(decide({"allowHostPorts": False}, {"containers": containers}).violations) == host.MOST_PORT_ERRORS
