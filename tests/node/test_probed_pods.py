"""Pods with probes and hooks on a real node: what the kernel and the API server see of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running_node import PODS, Node, running

pytestmark = pytest.mark.needs("root", "crun", "busybox")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def row(pod: dict[str, Any]) -> dict[str, Any]:
    found = pod["status"].get("containerStatuses") or [{}]
    return found[0]  # type: ignore[no-any-return]  # JSON


def probe(command: str, **more: object) -> dict[str, object]:
    return {"exec": {"command": ["sh", "-c", command]}, "periodSeconds": 1, "failureThreshold": 1, **more}


def test_who_is_not_alive_is_started_again_within_the_time_of_the_probe(node: Node) -> None:
    liveness = probe("echo sick; exit 1", terminationGracePeriodSeconds=1)
    node.run("sick", "trap '' TERM; sleep 1000 & wait; wait", container={"livenessProbe": liveness})
    node.until("sick", lambda found: row(found).get("restartCount", 0) > 0)
    events = node.events("sick")
    assert ("Unhealthy", "Liveness probe failed: sick\n") in events
    assert ("Killing", "Container c failed liveness probe, will be restarted") in events


def test_who_is_ready_and_started_says_so(node: Node) -> None:
    probes = {
        "readinessProbe": probe("test -e /tmp/ready"),
        "startupProbe": probe("test -e /tmp/up", failureThreshold=99),
    }
    node.run("late", "sleep 1; touch /tmp/up; sleep 1; touch /tmp/ready; sleep 1000", container=probes)
    pod = node.until("late", lambda found: "running" in row(found).get("state", {}))
    assert (row(pod)["started"], row(pod)["ready"]) == (False, False)
    node.until("late", lambda found: row(found)["started"] and not row(found)["ready"])
    pod = node.until("late", lambda found: bool(row(found)["ready"]))
    assert {item["type"]: item["status"] for item in pod["status"]["conditions"]}["Ready"] == "True"
    node.kill()
    node.start_again()
    after = node.until("late", lambda found: found["status"]["phase"] == "Running")
    assert (row(after)["started"], row(after)["ready"], row(after)["restartCount"]) == (True, True, 0)


def test_a_readiness_gate_is_heeded_as_soon_as_somebody_sets_its_condition(node: Node) -> None:
    def ready(found: dict[str, Any]) -> dict[str, Any]:
        listed = found["status"].get("conditions") or ()
        return next((row for row in listed if row["type"] == "Ready"), {})

    def set_gate(word: str) -> None:
        patch = {"status": {"conditions": [{"type": "example.com/gate", "status": word}]}}
        kind = "application/strategic-merge-patch+json"
        code, answer, _ = node.server.ask("PATCH", f"{PODS}/gated/status", patch, Content_Type=kind)
        assert code == 200, answer

    node.run("gated", "sleep 1000", readinessGates=[{"conditionType": "example.com/gate"}])
    node.until("gated", lambda found: ready(found).get("reason") == "ReadinessGatesNotReady")
    set_gate("False")
    node.until("gated", lambda found: "but False" in ready(found).get("message", ""))
    set_gate("True")
    node.until("gated", lambda found: ready(found)["status"] == "True")


def test_a_hook_after_the_start_that_fails_ends_the_container(node: Node) -> None:
    lifecycle = {"postStart": {"exec": {"command": ["sh", "-c", "echo secret; exit 7"]}}}
    node.run("hooked", "sleep 1000", container={"lifecycle": lifecycle}, terminationGracePeriodSeconds=1)
    pod = node.until(
        "hooked", lambda found: "waiting" in row(found).get("state", {}) and "terminated" in row(found)["lastState"]
    )
    assert row(pod)["state"]["waiting"]["reason"] in {"PostStartHookError", "CrashLoopBackOff"}
    events = node.events("hooked")
    assert ("FailedPostStartHook", "PostStartHook failed") in events
    assert "secret" not in str(events)


def test_a_hook_before_the_end_has_its_time(node: Node, tmp_path: Path) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 0.3; echo asked > /out/word"]}}}
    mounts = [{"name": "out", "mountPath": "/out"}]
    script = "trap 'cat /out/word > /out/heard; exit 0' TERM; sleep 1000 & wait"
    volumes = [{"name": "out", "hostPath": {"path": str(tmp_path)}}]
    node.run("asked", script, container={"lifecycle": hook, "volumeMounts": mounts}, volumes=volumes)
    node.until("asked", lambda found: found["status"]["phase"] == "Running")
    node.delete("asked")
    node.until_gone("asked")
    assert (tmp_path / "heard").read_text() == "asked\n"


def test_a_hook_before_the_end_that_is_too_slow_fails_with_its_container(node: Node) -> None:
    hook = {"preStop": {"exec": {"command": ["sleep", "1000"]}}}
    node.run("slow", "sleep 1000", container={"lifecycle": hook}, terminationGracePeriodSeconds=1)
    node.until("slow", lambda found: found["status"]["phase"] == "Running")
    node.delete("slow")
    node.until_gone("slow")
    node.until_event("slow", "PreStopHook failed")


def test_who_is_not_ready_while_he_is_ended_says_so(node: Node) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "touch /tmp/ending; sleep 20"]}}}
    container = {"lifecycle": hook, "readinessProbe": probe("test ! -e /tmp/ending")}
    node.run("leaves", "sleep 1000", container=container)
    node.until("leaves", lambda found: bool(row(found).get("ready")))
    node.delete("leaves")
    pod = node.until("leaves", lambda found: not row(found)["ready"])
    assert "running" in row(pod)["state"]
    node.delete("leaves", grace=1)
    node.until_gone("leaves")
