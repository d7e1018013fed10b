"""`podward.testing`, as a project's tests use it: in a run of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from image_layout import layer, small_root, write_layout
from served_cluster import left_over

pytestmark = pytest.mark.needs("root", "cni", "crun", "conmon", "nft")
CONFTEST = 'pytest_plugins = ["podward.testing.fixtures"]\n'
TEST = '''
"""A project's own test."""

import subprocess

from podward.testing import ready

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {{name: c, image: "busybox:root", command: [/bin/busybox, sleep, "3600"]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: settings}}
data: {{a: b}}
"""


def test_it(podward_cluster):
    podward_cluster.load_image("{image}")
    podward_cluster.apply(POD)
    pod = podward_cluster.wait_for("Pod", "web", ready)
    assert pod["spec"]["nodeName"]
    assert [each["metadata"]["name"] for each in podward_cluster.items("Pod", "default")] == ["web"]
    assert podward_cluster.get("ConfigMap", "settings")["data"] == {{"a": "b"}}
    said = subprocess.run(["{kubectl}", "exec", "web", "--", "id"], env=podward_cluster.environment,
                          capture_output=True, text=True, check=True).stdout
    assert said.startswith("uid=0")
    podward_cluster.delete("Pod", "web")
    assert podward_cluster.get("Secret", "absent") is None
    print("AT", podward_cluster.directory)
'''


def test_a_projects_tests_have_a_cluster(tmp_path: Path) -> None:
    layout = tmp_path / "image"
    layout.mkdir()
    write_layout(layout, "busybox:root", '"config":{}', layer(small_root))
    (tmp_path / "conftest.py").write_text(CONFTEST)
    kubectl = Path(sys.executable).with_name("kubectl")
    (tmp_path / "test_it.py").write_text(TEST.format(image=layout, kubectl=kubectl))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-qs", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    directory = Path(done.stdout.partition("AT ")[2].split()[0].rstrip("."))
    assert not directory.exists()
    assert left_over(directory) == []
