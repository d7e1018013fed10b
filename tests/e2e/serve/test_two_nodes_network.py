"""Two nodes of `podward serve`, in a network of their own: Pods of both, a Service over both, names, and what stays."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import image_layout
import pytest
import served_containers
from network_lab import MACHINE, Lab, inside
from served_cluster import ServedCluster, is_ready

from podward.policy.dns import message
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "cni", "crun", "conmon", "nft", "busybox")
WEB = "mkdir /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 8080 -h /tmp/w"
MANIFESTS = f"""
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: web
  replicas: 2
  podManagementPolicy: Parallel
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {{matchLabels: {{app: web}}}}
      containers: [{{name: c, image: "small:1", command: [sh, -c, "{WEB}"]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 8080}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: both}}
spec: {{type: NodePort, selector: {{app: web}}, ports: [{{port: 80, targetPort: 8080, nodePort: 30080}}]}}
"""
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with ExitStack() as ended:
        made = Lab(ended)
        with inside(made.machine):
            yield made


@pytest.fixture(scope="module")
def cluster(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedCluster]:
    del lab
    root = tmp_path_factory.mktemp("two")
    layout = image_layout.write_layout(
        root / "layout", "small:1", served_containers.CONFIG, image_layout.layer(served_containers.fill)
    )
    for each in (root, root / "cluster" / "nodes" / "n1-2"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        import_path(ImageStore(str(each)), layout)
    found = ServedCluster(root, "--nodes", "2", "--node-ip", MACHINE)
    yield found
    found.end()


def answers(lab: Lab, times: int) -> set[str]:
    """Who answers at the node's port."""
    said = [lab.outside.fetch(MACHINE, 30080, REQUEST).decode().split() for _ in range(times)]
    return {word for words in said for word in words if word.startswith("web-")}


def test_pods_of_two_nodes_have_ranges_of_their_own_and_one_service(cluster: ServedCluster, lab: Lab) -> None:
    cluster.kubectl("apply", "-f", "-", given=MANIFESTS)
    pods = [cluster.until_running(f"web-{number}") for number in (0, 1)]
    ranges = {node["metadata"]["name"]: node["spec"]["podCIDR"] for node in cluster.get("nodes")["items"]}
    assert len(set(ranges.values())) == 2
    for pod in pods:
        prefix = ranges[pod["spec"]["nodeName"]].rpartition(".")[0]
        assert pod["status"]["podIP"].rpartition(".")[0] == prefix
    assert {pod["spec"]["nodeName"] for pod in pods} == {"n1", "n1-2"}

    end = time.monotonic() + 20
    while answers(lab, 12) != {"web-0", "web-1"}:
        assert time.monotonic() < end
    for other in (0, 1):
        script = f"wget -q -O - http://web-{other}.web:8080; nc -w 2 kubernetes.default 443 < /dev/null && echo served"
        assert cluster.kubectl("exec", f"web-{1 - other}", "--", "sh", "-c", script) == f"web-{other}\nserved\n"


@pytest.mark.parametrize("name", ["n1", "n1-2"])
def test_services_and_names_go_on_when_a_node_is_killed(cluster: ServedCluster, lab: Lab, name: str) -> None:
    os.kill(process_of(cluster, name), signal.SIGKILL)

    assert answers(lab, 12)
    query, end = message.write_query(1, "both.default.svc.cluster.local", message.A), time.monotonic() + 20
    while not message.read_answers(lab.machine.exchange("udp", "10.0.0.10", 53, query) or b"\0" * 12):
        assert time.monotonic() < end
    cluster.until(is_ready, "node", name)


def process_of(cluster: ServedCluster, name: str) -> int:
    """The process of a node, which is a child of `serve`."""
    children = Path(f"/proc/{cluster.process.pid}/task/{cluster.process.pid}/children").read_text().split()
    words = {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in children}
    return next(int(pid) for pid, found in words.items() if f"--name={name}" in found)
