"""Pods that are bound to a node: run, told of, ended, and adopted by the node that comes after a killed one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from running_node import PODS, Node, eventually, running

pytestmark = pytest.mark.needs("root", "crun", "busybox")


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("manifests")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, manifests: Path) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster"), "--pod-manifest-path", str(manifests)) as made:
        yield made


def phase(pod: dict[str, Any]) -> str:
    return str(pod["status"].get("phase"))


def statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return pod["status"].get("containerStatuses") or []


def state(pod: dict[str, Any]) -> dict[str, Any]:
    (status,) = statuses(pod) or [{}]
    return status


def is_waiting(pod: dict[str, Any]) -> bool:
    return "waiting" in state(pod).get("state", {})


def test_a_pod_runs_and_its_status_comes_back(node: Node) -> None:
    node.run("runs", "echo here; sleep 1000")
    pod = node.until("runs", lambda found: phase(found) == "Running")
    conditions = {row["type"]: row["status"] for row in pod["status"]["conditions"]}
    assert conditions["Ready"] == conditions["ContainersReady"] == conditions["Initialized"] == "True"
    assert pod["status"]["podIP"] == pod["status"]["hostIP"]
    assert state(pod)["ready"]
    assert state(pod)["user"]["linux"] == {"uid": 0, "gid": 0, "supplementalGroups": [0]}
    assert node.log(pod) == "here\n"
    assert [reason for reason, _ in node.events("runs")] == ["Pulled", "Created", "Started"]


def test_a_container_that_fails_is_started_again_and_then_waits(node: Node) -> None:
    node.run("crashes", "echo last words > /dev/termination-log; exit 3")
    pod = node.until(
        "crashes", lambda found: "waiting" in state(found).get("state", {}) and state(found)["restartCount"] > 0
    )
    assert state(pod)["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    ended = state(pod)["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "last words\n")
    assert phase(pod) == "Running"
    assert any(reason == "BackOff" for reason, _ in node.events("crashes"))


def test_a_pod_that_has_done_its_work_has_succeeded_and_leaves_no_volumes(node: Node) -> None:
    first = {"name": "first", "image": "small:1", "command": ["sh", "-c", "echo one > /data/file"]}
    mounts = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    second = {"name": "c", "image": "small:1", "command": ["sh", "-c", "cat /data/file"], **mounts}
    volumes = [{"name": "data", "emptyDir": {}}]
    node.create("works", [second], initContainers=[{**first, **mounts}], restartPolicy="Never", volumes=volumes)
    pod = node.until("works", lambda found: phase(found) == "Succeeded")
    assert state(pod)["state"]["terminated"]["reason"] == "Completed"
    assert node.log(pod) == "one\n"


def test_who_is_deleted_gets_its_time_and_is_gone(node: Node) -> None:
    node.run("asks", "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.1; done")
    node.until("asks", lambda found: phase(found) == "Running")
    node.delete("asks")
    node.until_gone("asks")
    assert ("Killing", "Stopping container c") in node.events("asks")


def test_an_image_that_is_not_there_keeps_one_container_waiting_alone(node: Node) -> None:
    node.create(
        "waits",
        [
            {"name": "a", "image": "absent:1", "imagePullPolicy": "Never"},
            {"name": "b", "image": "small:1", "command": ["sleep", "1000"]},
        ],
    )
    pod = node.until(
        "waits", lambda found: any("running" in row["state"] for row in found["status"].get("containerStatuses") or ())
    )
    waiting = next(row for row in pod["status"]["containerStatuses"] if row["name"] == "a")
    assert waiting["state"]["waiting"]["reason"] == "ErrImageNeverPull"
    assert phase(pod) == "Pending"


def test_a_pod_that_the_node_does_not_take_has_failed_and_can_be_deleted(node: Node) -> None:
    node.run("wants", "true", securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "65536"}]})
    pod = node.until("wants", lambda found: phase(found) == "Failed")
    assert pod["status"]["reason"] == "SysctlForbidden"
    assert pod["status"]["message"] == 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted'
    assert node.events("wants") == [("SysctlForbidden", 'forbidden sysctl: "kernel.msgmax" not allowlisted')]
    node.delete("wants")
    node.until_gone("wants")


def test_what_comes_after_a_sidecar_starts_as_soon_as_that_runs(node: Node) -> None:
    script = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    beside = {"name": "s", "image": "small:1", "restartPolicy": "Always", "command": script}
    node.run("beside", "sleep 1000", initContainers=[beside, {**beside, "name": "t"}])
    pod = node.until("beside", lambda found: phase(found) == "Running" and state(found)["ready"])
    first, second = pod["status"]["initContainerStatuses"]
    begun = [row["state"]["running"]["startedAt"] for row in (first, second, state(pod))]
    seconds = [datetime.fromisoformat(moment).timestamp() for moment in begun]
    assert seconds == sorted(seconds)
    assert seconds[-1] - seconds[0] < 9


def test_a_pod_past_its_deadline_has_failed(node: Node) -> None:
    node.run("late", "sleep 1000", activeDeadlineSeconds=1, terminationGracePeriodSeconds=1)
    pod = node.until("late", lambda found: phase(found) == "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"


def test_of_dead_containers_the_last_one_is_kept(node: Node) -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [7]}}]
    own = {"restartPolicy": "Never", "restartPolicyRules": rules}
    node.run("again", "exit 7", container=own)
    pod = node.until("again", lambda found: is_waiting(found) and state(found)["restartCount"] > 0)
    logs = node.root / "node" / "logs" / f"default_again_{pod['metadata']['uid']}" / "c"
    eventually(lambda: [file.name for file in logs.iterdir()] == [f"{state(pod)['restartCount']}.log"])


def test_a_pod_of_a_file_runs_and_is_shown_and_ends_with_its_file(node: Node, manifests: Path) -> None:
    file = manifests / "own.json"
    container = {"name": "c", "image": "small:1", "command": ["sleep", "1000"]}
    written: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "own"},
        "spec": {"hostNetwork": True, "containers": [container], "terminationGracePeriodSeconds": 1},
    }
    put(file, written)
    shown = node.until("own-n1", lambda found: phase(found) == "Running")
    assert shown["metadata"]["ownerReferences"][0]["kind"] == "Node"
    run = state(shown)["containerID"]
    node.delete("own-n1")
    again = node.until(
        "own-n1", lambda found: found["metadata"]["uid"] != shown["metadata"]["uid"] and bool(state(found))
    )
    assert state(again)["containerID"] == run
    file.unlink()
    node.until_gone("own-n1")


def put(file: Path, content: dict[str, Any]) -> None:
    """Write a file in one step, as editors do."""
    new = file.with_name(f".{file.name}")
    new.write_text(json.dumps(content))
    new.rename(file)


def resources(cpu: str, memory: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}


def resized(node: Node, name: str, *containers: dict[str, Any]) -> None:
    patch = {"spec": {"containers": [*containers]}}
    kind = "application/strategic-merge-patch+json"
    code, answer, _ = node.server.ask("PATCH", f"{PODS}/{name}/resize", patch, Content_Type=kind)
    assert code == 200, answer


def in_progress(pod: dict[str, Any]) -> set[str]:
    return {row["type"] for row in pod["status"]["conditions"] if row["type"].startswith("PodResize")}


def test_resources_change_while_a_pod_runs(node: Node) -> None:
    policy = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]
    node.create(
        "grows",
        [
            {"name": "a", "image": "small:1", "command": ["sleep", "1000"], "resources": resources("100m", "32Mi")},
            {"name": "b", "image": "small:1", "command": ["sleep", "1000"], "resources": resources("50m", "16Mi"),
             "resizePolicy": policy},
        ],
        terminationGracePeriodSeconds=1,
    )  # fmt: skip
    before = node.until("grows", lambda found: phase(found) == "Running")
    resized(node, "grows", {"name": "a", "resources": resources("200m", "48Mi")})
    wanted = resources("200m", "48Mi")
    grown = node.until("grows", lambda found: statuses(found)[0]["resources"] == wanted and not in_progress(found))
    assert statuses(grown)[0]["allocatedResources"] == wanted["requests"]
    assert [row["containerID"] for row in statuses(grown)] == [row["containerID"] for row in statuses(before)]
    resized(node, "grows", {"name": "b", "resources": resources("50m", "24Mi")})
    again = node.until("grows", lambda found: statuses(found)[1]["restartCount"] == 1 and statuses(found)[1]["ready"])
    assert statuses(again)[1]["resources"] == resources("50m", "24Mi")
    assert statuses(again)[0]["restartCount"] == 0
    resized(node, "grows", {"name": "a", "resources": resources("1000", "48Mi")})
    waits = node.until("grows", lambda found: in_progress(found) == {"PodResizePending"})
    (pending,) = (row for row in waits["status"]["conditions"] if row["type"] == "PodResizePending")
    assert pending["reason"] == "Deferred"
    assert statuses(waits)[0]["allocatedResources"]["cpu"] == "200m"
    assert waits["status"]["allocatedResources"] == {"cpu": "250m", "memory": "72Mi"}
    assert any(message.startswith("Pod resize OutOfcpu: {") for _, message in node.events("grows"))


def test_the_image_of_a_volume_is_had_before_the_container(node: Node) -> None:
    mounts = {"volumeMounts": [{"name": "i", "mountPath": "/i"}]}
    volume = {"name": "i", "image": {"reference": "small:1", "pullPolicy": "IfNotPresent"}}
    node.run("reads", "ls /i/bin/busybox", container=mounts, volumes=[volume], restartPolicy="Never")
    pod = node.until("reads", lambda found: phase(found) == "Succeeded")
    assert node.log(pod) == "/i/bin/busybox\n"
    lost = {"volumeMounts": [{"name": "i", "mountPath": "/i", "subPath": "none"}]}
    node.run("lost", "true", container=lost, volumes=[volume])
    pod = node.until("lost", lambda found: is_waiting(found) and "message" in state(found)["state"]["waiting"])
    assert "failed to ensure image subpath 'none' in sha256:" in state(pod)["state"]["waiting"]["message"]
    absent = {"name": "i", "image": {"reference": "absent:1", "pullPolicy": "Never"}}
    node.run("lacks", "true", container=mounts, volumes=[absent])
    pod = node.until("lacks", lambda found: is_waiting(found) and "message" in state(found)["state"]["waiting"])
    assert state(pod)["state"]["waiting"]["reason"] == "ErrImageNeverPull"
    node.until_event("lacks", "Error: ErrImageNeverPull")
    _, found, _ = node.server.ask("GET", "/api/v1/namespaces/default/events")
    told = [item for item in found["items"] if item["involvedObject"]["name"] == "lacks"]
    about = [item["involvedObject"] for item in told if "absent:1" in item["message"]]
    assert about
    assert not any("fieldPath" in reference for reference in about)


def test_an_end_that_no_monitor_tells_is_found(node: Node) -> None:
    node.run("alone", "sleep 1000", restartPolicy="Never")
    node.until("alone", lambda found: phase(found) == "Running")
    records = [json.loads(file.read_text()) for file in (node.root / "cri" / "containers").glob("*/container.json")]
    (record,) = (each for each in records if each["config"]["labels"]["io.kubernetes.pod.name"] == "alone")
    for process in (record["monitor"], record["process"]):
        os.kill(process["pid"], signal.SIGKILL)
    node.until("alone", lambda found: phase(found) == "Failed")


def test_a_node_that_was_killed_finds_its_pods_again_and_restarts_nothing(node: Node) -> None:
    node.run("stays", "sleep 1000", volumes=[{"name": "m", "emptyDir": {"medium": "Memory"}}])
    before = node.until("stays", lambda found: phase(found) == "Running")
    node.run(
        "ends", "while ! [ -e /tmp/go ]; do sleep 0.1; done", restartPolicy="Never", terminationGracePeriodSeconds=1
    )
    node.until("ends", lambda found: phase(found) == "Running")
    node.run("gone", "sleep 1000")
    gone = node.until("gone", lambda found: phase(found) == "Running")
    node.kill()
    node.delete("ends")
    node.delete("gone", grace=0)
    node.start_again()
    assert not list((node.root / "node" / "pods").glob(gone["metadata"]["uid"]))
    assert not list((node.root / "node" / "logs").glob(f"*{gone['metadata']['uid']}"))
    hierarchies = (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").iterdir())
    assert not [each for top in hierarchies for each in (top / "kubepods").glob(f"**/pod{gone['metadata']['uid']}")]
    node.until_gone("ends")
    after = node.until("stays", lambda found: phase(found) == "Running")
    assert state(after)["containerID"] == state(before)["containerID"]
    assert state(after)["restartCount"] == 0


def test_what_is_no_image_says_so_in_the_kubelets_words(node: Node) -> None:
    node.create("named", [{"name": "a", "image": "Bad/Name:1"}])
    pod = node.until("named", lambda found: is_waiting(found) and "message" in state(found)["state"]["waiting"])
    waiting = state(pod)["state"]["waiting"]
    why = 'couldn\'t parse image name "Bad/Name:1": invalid reference format: repository name'
    assert waiting["reason"] == "InvalidImageName"
    assert waiting["message"] == f'Failed to apply default image tag "Bad/Name:1": {why} (Name) must be lowercase'
