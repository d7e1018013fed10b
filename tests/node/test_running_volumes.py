"""What containers of a real node see of their volumes, and of who they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from running_node import IMAGE, Node, running

pytestmark = pytest.mark.needs("root", "crun", "busybox")

OBJECTS = "/api/v1/namespaces/default"
ROOT_CA = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": "an authority"}}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running(tmp_path_factory.mktemp("cluster")) as made:
        assert made.server.ask("POST", f"{OBJECTS}/configmaps", ROOT_CA)[0] == 201
        yield made


def secret(node: Node, name: str, **data: str) -> None:
    body = {"metadata": {"name": name}, "stringData": data}
    assert node.server.ask("POST", f"{OBJECTS}/secrets", body)[0] == 201


def runs(pod: dict[str, Any]) -> bool:
    return bool(pod["status"].get("phase") == "Running")


def ended(pod: dict[str, Any]) -> bool:
    return pod["status"].get("phase") in {"Succeeded", "Failed"}


def printed(node: Node, name: str, script: str, **spec: Any) -> list[str]:  # noqa: ANN401 - as people write it
    """What the script prints, line by line, in a Pod that ends with it."""
    node.run(name, script, restartPolicy="Never", **spec)
    return node.log(node.until(name, ended)).splitlines()


def mounting(**paths: str) -> dict[str, Any]:
    return {"volumeMounts": [{"name": name, "mountPath": path} for name, path in paths.items()]}


def of_secret(name: str, **more: object) -> dict[str, Any]:
    return {"name": "s", "secret": {"secretName": name, **more}}


def test_a_file_follows_its_secret_and_a_variable_does_not(node: Node) -> None:
    secret(node, "db", word="carrot")
    variable = {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "word"}}}
    container = {**mounting(s="/db"), "env": [variable]}
    script = "grep ' /db ' /proc/mounts | cut -d' ' -f3; while true; do echo $(cat /db/word) $WORD; sleep 0.1; done"
    node.run("reads", script, container=container, volumes=[of_secret("db")])
    pod = node.until("reads", runs)
    assert node.until_log(pod, "carrot carrot").startswith("tmpfs\n")
    change = {"stringData": {"word": "turnip"}}
    assert node.server.ask("PATCH", f"{OBJECTS}/secrets/db", change, Content_Type="application/merge-patch+json")[0]
    changed = time.monotonic()
    node.until_log(pod, "turnip carrot")
    assert time.monotonic() - changed < 2
    node.server.ask("DELETE", f"{OBJECTS}/secrets/db")
    node.until_event("reads", 'MountVolume.SetUp failed for volume "s" : secret "db" not found')
    assert node.log(pod).endswith("turnip carrot\n")


def test_who_waits_for_a_secret_starts_when_it_is_there(node: Node) -> None:
    variable = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "env", "key": "a"}}}
    script = 'echo "$A $(cat /late/x)"'
    container = {**mounting(s="/late"), "env": [variable]}
    node.run("waits", script, container=container, volumes=[of_secret("late")], restartPolicy="Never")
    node.until_event("waits", 'MountVolume.SetUp failed for volume "s" : secret "late" not found')
    assert node.waiting("waits") in {None, "ContainerCreating"}
    secret(node, "late", x="1")
    node.until_event("waits", 'Error: secret "env" not found')
    assert node.waiting("waits") == "CreateContainerConfigError"
    secret(node, "env", b="2")
    node.until_event("waits", "Error: couldn't find key a in Secret default/env")
    body = {"stringData": {"a": "3"}}
    node.server.ask("PATCH", f"{OBJECTS}/secrets/env", body, Content_Type="application/merge-patch+json")
    assert node.log(node.until("waits", ended)) == "3 1\n"


def test_a_container_is_its_account_at_the_api(node: Node) -> None:
    at = "/var/run/secrets/kubernetes.io/serviceaccount"
    script = f"ls {at}; for f in namespace ca.crt; do echo $(cat {at}/$f); done; touch {at}/x 2>&1; cat {at}/token"
    *told, token = printed(node, "account", script, automountServiceAccountToken=True)
    assert told[:5] == ["ca.crt", "namespace", "token", "default", "an authority"]
    assert "Read-only file system" in told[5]
    review = {"spec": {"token": token}}
    _, answer, _ = node.server.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)
    assert answer["status"]["user"]["username"] == "system:serviceaccount:default:default"
    assert answer["status"]["user"]["extra"]["authentication.kubernetes.io/pod-name"] == ["account"]
    assert node.server.ask("GET", f"{OBJECTS}/secrets", token=token)[0] == 403


def test_a_user_namespace_sees_its_volumes_as_its_own(node: Node) -> None:
    secret(node, "mapped", key="1")
    volumes = [of_secret("mapped", defaultMode=0o400), {"name": "e", "emptyDir": {}}]
    script = "stat -L -c '%n %u %g %a' /s/key /e; touch /e/x && stat -c '%u %g' /e/x; cat /proc/self/uid_map"
    found = printed(
        node,
        "mapped",
        script,
        container=mounting(s="/s", e="/e"),
        volumes=volumes,
        hostUsers=False,
        hostNetwork=False,
        securityContext={"fsGroup": 3000},
    )
    assert found[:3] == ["/s/key 0 3000 440", "/e 0 3000 2777", "0 3000"]
    assert found[3].split()[0] == "0"
    assert found[3].split()[1] != "0"


def test_an_image_a_subpath_and_the_downward_api_are_mounted(node: Node) -> None:
    secret(node, "parts", a="one")
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    volumes = [
        of_secret("parts"),
        {"name": "i", "image": {"reference": IMAGE, "pullPolicy": "IfNotPresent"}},
        {"name": "d", "downwardAPI": {"items": items}},
        {"name": "e", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
    ]
    mounts = [
        {"name": "s", "mountPath": "/file", "subPath": "a"},
        {"name": "i", "mountPath": "/image"},
        {"name": "d", "mountPath": "/d"},
        {"name": "e", "mountPath": "/e", "subPathExpr": "$(NODE)"},
        {"name": "e", "mountPath": "/whole"},
    ]
    field = {"fieldPath": "spec.nodeName"}
    container = {"volumeMounts": mounts, "env": [{"name": "NODE", "valueFrom": {"fieldRef": field}}]}
    script = "echo $(cat /file); ls /image/bin | head -1; echo $(cat /d/labels); ls /whole; df -k /whole | tail -1"
    found = printed(node, "parts", script, container=container, volumes=volumes, metadata={"labels": {"app": "x"}})
    assert found[0] == "one"
    assert found[2:4] == ['app="x"', "n1"]
    assert " 1024 " in found[4]
