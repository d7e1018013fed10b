"""What `podward explain` says of a process, before anything is there, `podward run` says, too, and the kernel does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "umoci")
SPREADING = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  restartPolicy: Never
  volumes: [{name: disk, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]
  containers:
  - name: c
    image: IMAGE
    command: [/bin/true]
    securityContext: {privileged: true}
    volumeMounts:
    - {name: disk, mountPath: /data, mountPropagation: FIRST}
    - {name: MORE, mountPath: /more, mountPropagation: HostToContainer}
    - {name: disk, mountPath: BELOW}
"""


def manifest(image: str, first: str, more: str, below: str = "/below") -> str:
    words = {"IMAGE": image, "FIRST": first, "MORE": more, "BELOW": below}
    text = SPREADING
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def agreed(podward: Podward, text: str, *words: str) -> dict[str, str]:
    """How mounts spread: as explained, as predicted and as observed."""
    explained = json.loads(podward("explain", "-o", "json", *words, "-", stdin=text).stdout)
    ran = podward("run", "--verify", "-o", "json", *words, "-", stdin=text)
    assert ran.returncode == 0, ran.stderr
    run = json.loads(ran.stdout)
    seen = [*_states(explained, "predicted"), *_states(run, "predicted"), *_states(run, "observed")]
    assert len(seen) == 3
    assert seen[0] == seen[1] == seen[2]
    return {mount["destination"]: mount.get("propagation", "private") for mount in seen[0]["mounts"]}


def _states(document: Any, name: str) -> list[Any]:  # noqa: ANN401 - JSON
    if isinstance(document, dict):
        own = [document[name]] if isinstance(document.get(name), dict) and "mounts" in document[name] else []
        return own + [state for value in document.values() for state in _states(value, name)]
    return [state for value in document for state in _states(value, name)] if isinstance(document, list) else []


@pytest.mark.needs("runc")
@pytest.mark.parametrize(
    ("defaults", "runtime", "mounts"),
    [
        ("containerd", "crun", ("Bidirectional", "disk", "/below")),
        ("containerd", "runc", ("Bidirectional", "disk", "/below")),
        ("containerd", "runc", ("Bidirectional", "memory", "/data/below")),
        ("cri-o", "crun", ("Bidirectional", "disk", "/data/below")),
        ("docker", "crun", ("Bidirectional", "disk", "/below")),
        ("docker", "runc", ("Bidirectional", "disk", "/data/below")),
        ("docker", "crun", ("None", "disk", "/data/below")),
    ],
)
def test_mounts_that_spread(podward: Podward, defaults: str, runtime: str, mounts: tuple[str, str, str]) -> None:
    text = manifest("busybox:root", *mounts)
    found = agreed(podward, text, "--runtime-defaults", defaults, "--runtime", runtime)
    if "Bidirectional" in mounts:
        assert found["/data"].startswith("shared")


def test_volumes_of_an_image_that_it_has_a_directory_for_and_that_it_has_not(podward: Podward, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text('FROM busybox:root\nVOLUME ["/bin", "/nothing/there"]\n')
    built = podward("image", "build", "-t", "volumes", str(tmp_path))
    assert built.returncode == 0, built.stderr
    found = agreed(podward, manifest("volumes", "Bidirectional", "disk"), "--runtime-defaults", "docker")
    assert set(found) >= {"/bin", "/nothing/there"}
