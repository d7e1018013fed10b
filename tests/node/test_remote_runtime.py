"""A node whose Pods another CRI runtime runs, over gRPC."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from api_server import Server
from cri_server import CriServer
from running_node import Node, kubeconfig

from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "crun", "busybox")


def kubectl(home: Path, *words: str) -> bytes:
    command = ["kubectl", "--kubeconfig", str(home / "kubeconfig"), *words]
    return subprocess.run(command, input=b"typed\n", capture_output=True, timeout=60, check=True).stdout


def test_a_runtime_behind_a_socket_runs_the_pods_of_a_node(tmp_path: Path) -> None:
    home = tmp_path / "cluster"
    home.mkdir()
    server = Server(home, "--authorization-mode", "Node,RBAC", "--controllers", "*,serviceaccount")
    try:
        with CriServer(tmp_path) as runtime:
            node = Node(server, home, "--container-runtime-endpoint", f"unix://{runtime.socket}")
            try:
                import_path(ImageStore(str(runtime.root)), str(home / "layout"))
                volumes = [{"name": "v", "emptyDir": {}}]
                mounts = [{"name": "v", "mountPath": "/v"}]
                script = "trap 'exit 0' TERM; echo here > /v/file; cat /v/file; while true; do sleep 0.1; done"
                node.run("far", script, container={"volumeMounts": mounts}, volumes=volumes)
                pod = node.until("far", lambda found: found["status"].get("phase") == "Running")
                assert pod["status"]["containerStatuses"][0]["containerID"].startswith("podward://")
                (home / "kubeconfig").write_text(kubeconfig(server, "admin", "system:masters"))
                assert kubectl(home, "logs", "far") == b"here\n"
                assert kubectl(home, "exec", "-i", "far", "--", "cat", "/v/file", "-") == b"here\ntyped\n"
                node.run("fails", "exit 3", restartPolicy="Never")
                node.until("fails", lambda found: found["status"].get("phase") == "Failed")
                node.kill()
                node.start_again()
                again = node.until("far", lambda found: found["status"].get("phase") == "Running")
                assert again["status"]["containerStatuses"] == pod["status"]["containerStatuses"]
            finally:
                node.end()
    finally:
        server.process.terminate()
        server.process.communicate()
