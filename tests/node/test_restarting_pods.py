"""Restart rules of containers on a real node: by exit code, one alone or all of a Pod together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from running_node import IMAGE, Node, running

pytestmark = pytest.mark.needs("root", "crun", "busybox")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def counts(pod: dict[str, Any]) -> dict[str, int]:
    status = pod["status"]
    rows = (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
    return {row["name"]: row["restartCount"] for row in rows}


def rule(action: str) -> dict[str, Any]:
    return {"action": action, "exitCodes": {"operator": "In", "values": [42]}}


MOUNT = {"volumeMounts": [{"name": "kept", "mountPath": "/kept"}], "image": IMAGE}
VOLUMES = [{"name": "kept", "emptyDir": {}}]
ONCE = "test -e /kept/once && sleep 1000; touch /kept/once; exit 42"


def test_all_containers_begin_anew_when_a_rule_says_so(node: Node) -> None:
    cause: dict[str, Any] = {"name": "cause", "command": ["sh", "-c", ONCE], "restartPolicy": "Never", **MOUNT}
    cause["restartPolicyRules"] = [rule("RestartAllContainers")]
    beside = {"name": "beside", "command": ["sleep", "1000"], **MOUNT}
    first = {"name": "first", "command": ["sh", "-c", "echo x >> /kept/begun"], **MOUNT}
    node.create("anew", [cause, beside], initContainers=[first], restartPolicy="Never", volumes=VOLUMES)
    pod = node.until("anew", lambda found: counts(found) == {"first": 1, "cause": 1, "beside": 1})
    pod = node.until(
        "anew", lambda found: all("running" in row["state"] for row in found["status"]["containerStatuses"])
    )
    conditions = {row["type"]: row["status"] for row in pod["status"]["conditions"]}
    assert (conditions["AllContainersRestarting"], conditions["Ready"]) == ("False", "True")
    assert pod["status"]["phase"] == "Running"
    assert ("Killing", "killing") in node.events("anew")


def test_one_container_begins_anew_by_its_exit_code(node: Node) -> None:
    own: dict[str, Any] = {"name": "own", "command": ["sh", "-c", ONCE], "restartPolicy": "Never", **MOUNT}
    own["restartPolicyRules"] = [rule("Restart")]
    node.create("own", [own], restartPolicy="Never", volumes=VOLUMES)
    node.until("own", lambda found: counts(found) == {"own": 1} and found["status"]["phase"] == "Running")


def test_a_sidecar_outlives_the_others_and_does_not_keep_the_pod(node: Node) -> None:
    side: dict[str, Any] = {"name": "side", "image": IMAGE, "restartPolicy": "Always"}
    side["command"] = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    work = {"name": "work", "image": IMAGE, "command": ["sh", "-c", "sleep 0.5"]}
    node.create("beside", [work], initContainers=[side], restartPolicy="Never")
    pod = node.until("beside", lambda found: found["status"]["phase"] == "Succeeded")
    (status,) = pod["status"]["initContainerStatuses"]
    assert status["state"]["terminated"]["exitCode"] == 0


def test_after_sidecars_the_others_are_started_without_further_ado(node: Node) -> None:
    sides = [
        {"name": name, "image": IMAGE, "restartPolicy": "Always", "command": ["sleep", "1000"]}
        for name in ("one", "two")
    ]
    node.create("goes-on", [{"name": "c", "image": IMAGE, "command": ["sleep", "1000"]}], initContainers=sides)
    node.until("goes-on", lambda found: found["status"]["phase"] == "Running")
