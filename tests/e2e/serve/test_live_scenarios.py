"""The scenarios as a person has them: a manifest, the real kubectl, and what the kernel says of the process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_cluster import ServedCluster, is_ready, left_over, with_images

pytestmark = pytest.mark.needs("root", "cni", "crun", "conmon", "nft")
FILES = Path(__file__).parents[1] / "scenarios"


@pytest.fixture(scope="module")
def cluster(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    found = ServedCluster(with_images(images, tmp_path_factory.mktemp("c")))
    names = ("groups", "nonroot", "capabilities", "userns", "secrets")
    found.kubectl("apply", *(f"--filename={FILES / name}" for name in names), code=None)
    found.kubectl("apply", "-f", str(FILES / "secrets" / "serviceaccount.yaml"))
    yield found
    found.end()
    assert found.process.returncode == 0, found.said()
    assert left_over(found.root) == []


def linux(pod: Any) -> tuple[int, int, list[int]]:  # noqa: ANN401 - of kubectl
    found = pod["status"]["containerStatuses"][0]["user"]["linux"]
    return found["uid"], found["gid"], found["supplementalGroups"]


@pytest.mark.parametrize(
    ("name", "groups"), [("implicit-groups", [3000, 4000, 50000]), ("strict-supplementalgroups-policy", [3000, 4000])]
)
def test_a_process_has_the_groups_that_its_status_says(cluster: ServedCluster, name: str, groups: list[int]) -> None:
    pod = cluster.until_running(name)
    assert linux(pod) == (1000, 3000, groups)
    told = cluster.kubectl("exec", name, "--", "id")
    assert told.startswith("uid=1000")
    assert " gid=3000" in told
    assert [int(word.split("(")[0]) for word in told.strip().partition("groups=")[2].split(",")] == groups


def test_the_node_says_that_it_knows_strict_groups(cluster: ServedCluster) -> None:
    assert cluster.get("node", "n1")["status"]["features"]["supplementalGroupsPolicy"] is True


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nonroot-root-image", "container has runAsNonRoot and image will run as root"),
        ("nonroot-named-user", "container has runAsNonRoot and image has non-numeric user (www-data)"),
        ("nonroot-explicit-root", "container's runAsUser breaks non-root policy"),
    ],
)
def test_what_would_be_root_is_refused_before_it_starts(cluster: ServedCluster, name: str, sentence: str) -> None:
    def refused(pod: Any) -> bool:  # noqa: ANN401 - of kubectl
        statuses = pod["status"].get("containerStatuses", [])
        return any(each["state"].get("waiting", {}).get("reason") == "CreateContainerConfigError" for each in statuses)

    pod = cluster.until(refused, "pod", name)
    assert sentence in pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert "CreateContainerConfigError" in cluster.kubectl("get", "pod", name)
    end = time.monotonic() + 10
    told: list[str] = []
    while not told and time.monotonic() < end:
        events = cluster.get("events", "--field-selector", f"involvedObject.name={name},reason=Failed")["items"]
        told = [event["message"] for event in events if event["type"] == "Warning"]
    assert sentence in told[0]
    assert told[0].startswith("Error: container")


def test_a_user_of_a_number_is_not_root(cluster: ServedCluster) -> None:
    overrides = json.dumps({"spec": {"securityContext": {"runAsNonRoot": True}}})
    words = ("--image=busybox:1000", "--restart=Never", "--overrides", overrides, "--command", "--", "sleep", "1h")
    cluster.kubectl("run", "numbered", *words)
    cluster.until_running("numbered")
    assert cluster.kubectl("exec", "numbered", "--", "id", "-u").strip() == "1000"


def test_root_has_what_its_capabilities_say(cluster: ServedCluster) -> None:
    cluster.until(lambda pod: pod["status"].get("phase") == "Succeeded", "pod", "net-admin")
    said = {
        name: cluster.kubectl("logs", "net-admin", "-c", name)
        for name in ("root-with-net-admin", "root-without-net-admin", "user-with-net-admin")
    }
    allowed = said["root-with-net-admin"]
    assert allowed.startswith("allowed") or "not supported" in allowed  # by a kernel that has no such device
    assert "not permitted" not in allowed
    assert "refused" in said["root-without-net-admin"]
    assert "Operation not permitted" in said["root-without-net-admin"]
    assert "CapEff:\t0000000000000000" in said["user-with-net-admin"]
    assert "CapEff:\t00000000a80435fb" in allowed


def test_root_inside_is_nobody_outside(cluster: ServedCluster) -> None:
    cluster.until_running("userns-root")
    said = cluster.kubectl("logs", "userns-root")
    assert said.startswith("uid=0")
    inside, outside, length = (int(word) for word in said.splitlines()[1].split())
    assert (inside, length) == (0, 65536)
    assert outside > 0
    others = cluster.kubectl("exec", "implicit-groups", "--", "cat", "/proc/self/uid_map").split()
    assert others[:2] == ["0", "0"]


def test_a_secret_reaches_the_process_and_follows(cluster: ServedCluster) -> None:
    cluster.until_running("secret-reader")
    assert cluster.kubectl("logs", "secret-reader").split() == ["carrot", "carrot"]
    inside = ("exec", "secret-reader", "--")
    assert "tmpfs" in cluster.kubectl(*inside, "grep", " /etc/db ", "/proc/mounts")
    patch = json.dumps({"stringData": {"carrot-db-username": "turnip", "carrot-db-password": "turnip"}})
    cluster.kubectl("patch", "secret", "db-secret", "-p", patch)
    end = time.monotonic() + 20
    while cluster.kubectl(*inside, "cat", "/etc/db/carrot-db-username") != "turnip" and time.monotonic() < end:
        time.sleep(0.2)
    assert cluster.kubectl(*inside, "cat", "/etc/db/carrot-db-username") == "turnip"
    assert cluster.kubectl(*inside, "sh", "-c", "echo $DB_PASSWORD").strip() == "carrot"


def test_an_account_is_in_its_pod_and_may_what_it_may(cluster: ServedCluster) -> None:
    cluster.until_running("sa-token-test", "mynamespace")
    inside = ("exec", "-n", "mynamespace", "sa-token-test", "--")
    place = "/var/run/secrets/kubernetes.io/serviceaccount"
    assert cluster.kubectl(*inside, "ls", place).split() == ["ca.crt", "namespace", "token"]
    assert cluster.kubectl(*inside, "cat", f"{place}/namespace") == "mynamespace"
    refused = cluster.kubectl(*inside, "touch", f"{place}/more", code=1)
    assert "Read-only file system" in refused
    token = cluster.kubectl(*inside, "cat", f"{place}/token")
    asked = ("--token", token, "-n", "mynamespace")
    assert "sa-token-test" in cluster.kubectl("get", "pods", "--kubeconfig", _nobody(cluster), *asked)
    assert "forbidden" in cluster.kubectl("get", "secrets", "--kubeconfig", _nobody(cluster), *asked, code=1)
    assert "forbidden" in cluster.kubectl("get", "pods", "--kubeconfig", _nobody(cluster), "--token", token, code=1)


def test_the_server_answers_inside(cluster: ServedCluster) -> None:
    cluster.until_running("sa-token-test", "mynamespace")
    inside = ("exec", "-n", "mynamespace", "sa-token-test", "--")
    assert "10.0.0.1" in cluster.kubectl(*inside, "sh", "-c", "echo $KUBERNETES_SERVICE_HOST")
    found = cluster.kubectl(*inside, "nslookup", "kubernetes.default.svc.cluster.local", code=None)
    assert "10.0.0.1" in found
    cluster.kubectl(*inside, "sh", "-c", "echo | nc -w 5 kubernetes.default.svc 443")


def test_a_pod_without_its_account_has_no_token(cluster: ServedCluster) -> None:
    overrides = json.dumps({"spec": {"automountServiceAccountToken": False}})
    words = ("--image=busybox:root", "--restart=Never", "--overrides", overrides, "--command", "--", "sleep", "1h")
    cluster.kubectl("run", "tokenless", *words)
    pod = cluster.until_running("tokenless")
    assert pod["spec"]["serviceAccountName"] == "default"
    assert "No such file" in cluster.kubectl("exec", "tokenless", "--", "ls", "/var/run/secrets", code=1)


def test_a_workload_has_its_pods_and_a_service(cluster: ServedCluster) -> None:
    words = ("--image=registry.k8s.io/e2e-test-images/agnhost:2.45", "--replicas=2")
    cluster.kubectl("create", "deployment", "web", *words, "--", "sh", "-c", "sleep 1h")
    found = cluster.until(lambda each: each["status"].get("readyReplicas") == 2, "deployment", "web")
    assert any(each["type"] == "Available" and each["status"] == "True" for each in found["status"]["conditions"])
    cluster.kubectl("scale", "deployment", "web", "--replicas=0")
    cluster.until(lambda each: not each["status"].get("replicas"), "deployment", "web")


def test_a_claim_gets_a_directory_that_outlives_its_pod(cluster: ServedCluster) -> None:
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }  # fmt: skip
    cluster.kubectl("apply", "-f", "-", given=json.dumps(claim))
    for name, command in (("writer", "echo kept > /data/file; sleep 1h"), ("reader", "cat /data/file; sleep 1h")):
        pod = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
                "containers": [{
                    "name": "c", "image": "busybox:root", "command": ["sh", "-c", command],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}],
            },
        }  # fmt: skip
        cluster.kubectl("apply", "-f", "-", given=json.dumps(pod))
        cluster.until(is_ready, "pod", name)
        if name == "writer":
            cluster.kubectl("delete", "pod", name)
    assert cluster.kubectl("logs", "reader") == "kept\n"
    volume = cluster.get("pvc", "data")["spec"]["volumeName"]
    cluster.kubectl("delete", "pod", "reader")
    cluster.kubectl("delete", "pvc", "data")
    end = time.monotonic() + 10
    while (cluster.root / "cluster" / "volumes" / volume).exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not (cluster.root / "cluster" / "volumes" / volume).exists()


def _nobody(cluster: ServedCluster) -> str:
    """A kubeconfig of the same server without a user."""
    place = cluster.root / "nobody.yaml"
    if not place.exists():
        config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
        config["users"] = [{"name": "podward-admin", "user": {}}]
        place.write_text(json.dumps(config))
    return str(place)


def test_who_calls_is_who_may(cluster: ServedCluster) -> None:
    assert "system:masters" in cluster.kubectl("auth", "whoami")
    token = cluster.kubectl("create", "token", "example-sa", "-n", "mynamespace").strip()
    as_account = ("--kubeconfig", _nobody(cluster), "--token", token)
    assert "system:serviceaccount:mynamespace:example-sa" in cluster.kubectl("auth", "whoami", *as_account)
    for words, answer in ((("get", "pods", "-n", "mynamespace"), "yes"), (("get", "pods", "-n", "default"), "no")):
        assert cluster.kubectl("auth", "can-i", *words, *as_account, code=None).split()[0] == answer
    refused = cluster.kubectl("get", "nodes", *as_account, code=1)
    sentence = 'User "system:serviceaccount:mynamespace:example-sa" cannot list resource "nodes" in API group ""'
    assert sentence in refused
    assert "Unauthorized" in cluster.kubectl("get", "pods", "--kubeconfig", _nobody(cluster), "--token", "x", code=1)
    as_nobody = ("--as", "system:anonymous", "--as-group", "system:unauthenticated")
    nobody = cluster.kubectl("get", "pods", *as_nobody, code=1)
    assert 'User "system:anonymous" cannot list' in nobody
