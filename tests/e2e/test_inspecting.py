"""`podward explain --running`: a kept Pod as it was decided, predicted and is now; drift is seen."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

MANIFEST = """apiVersion: v1
kind: Pod
metadata: {name: drifter}
spec:
  hostUsers: %s
  containers:
  - name: steady
    image: busybox:root
    command: ["sh", "-c", "echo up; exec sleep 1h"]
  - name: drifts
    image: busybox:root
    command:
    - sh
    - -c
    - "echo up; until [ -e /go/now ]; do sleep 0.1; done; exec start-stop-daemon -S -c 33:33 -x /bin/sleep -- 1h"
    volumeMounts: [{name: go, mountPath: /go}]
  volumes: [{name: go, hostPath: {path: %s}}]
"""


@pytest.mark.parametrize("host_users", ["true", "false"])
def test_a_process_that_changed_its_identity_is_seen_to_drift(
    podward: Podward, tmp_path: Path, host_users: str
) -> None:
    go = tmp_path / "go"
    go.mkdir()
    (tmp_path / "pod.yaml").write_text(MANIFEST % (host_users, go), encoding="ascii")
    assert podward("run", "--keep", "-f", str(tmp_path / "pod.yaml")).returncode == 0
    try:
        deadline = time.monotonic() + 60
        while podward("logs", "--all-containers", "drifter").stdout != "up\nup\n":
            assert time.monotonic() < deadline
        steady, drifts = containers_of(podward)
        assert steady["observed"] == steady["predicted"]
        assert drifts["observed"] == drifts["predicted"]
        (go / "now").touch()
        deadline = time.monotonic() + 60
        while drifts["observed"]["uid"] == drifts["predicted"]["uid"]:
            assert time.monotonic() < deadline
            _, drifts = containers_of(podward)
        first = drifts["predicted"]["uid"][0]
        assert drifts["observed"]["uid"] == [first + 33] * 4
        shown = podward("explain", "--running", "drifter")
        assert shown.returncode == 1, "drift is a difference"
        assert "pod.yaml:5" in shown.stdout, "lines are those of the manifest, which still says the same"
    finally:
        podward("rm", "drifter")


def containers_of(podward: Podward) -> list[dict[str, dict[str, list[int]]]]:
    """What is told of the kept Pod's containers now."""
    (pod,) = json.loads(podward("explain", "--running", "drifter", "-o", "json").stdout)["pods"]
    containers: list[dict[str, dict[str, list[int]]]] = pod["containers"]
    return containers


def test_a_pod_that_is_not_kept_cannot_be_explained(podward: Podward) -> None:
    result = podward("explain", "--running", "nobody")
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)
    assert "podward ps" in result.stderr
