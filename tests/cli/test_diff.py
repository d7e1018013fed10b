"""`podward diff` as a user calls it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from prepared_images import with_example_images
from warm_command import run

PROJECT = Path(__file__).parent.parent.parent
GROUPS = PROJECT / "examples" / "03-implicit-groups.yaml"
STRICT = PROJECT / "examples" / "04-strict-groups.yaml"
SECCOMP = PROJECT / "examples" / "12-seccomp.yaml"

pytestmark = pytest.mark.needs("root", "busybox", "umoci")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with the examples' images."""
    return with_example_images(tmp_path_factory)


def diff(root: Path, *words: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PODWARD_ROOT": str(root), "COLUMNS": "100"}
    return run("diff", *map(str, words), environment=variables, stdin=stdin)


def test_a_manifest_is_like_itself(root: Path) -> None:
    ran = diff(root, GROUPS, GROUPS)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "no effective value and no system call differs\n"


def test_the_values_that_differ_stand_side_by_side(root: Path) -> None:
    ran = diff(root, GROUPS, STRICT)
    assert ran.returncode == 1
    (line,) = [line for line in ran.stdout.splitlines() if line.startswith("groups ")]
    assert line.split() == ["groups", "3000", "4000", "50000", "3000", "4000"]


def test_another_way_to_the_same_values_is_no_difference(root: Path) -> None:
    moved = GROUPS.read_text(encoding="utf-8").replace("    runAsUser: 1000\n", "")
    moved = moved.replace("      allowPrivilegeEscalation", "      runAsUser: 1000\n      allowPrivilegeEscalation")
    ran = diff(root, GROUPS, "-", stdin=moved)
    assert ran.returncode == 0, ran.stdout


def test_runtimes_differ_in_capabilities_and_system_calls(root: Path) -> None:
    ran = diff(root, SECCOMP, "--runtime-defaults", "containerd,cri-o,docker", "-o", "json")
    assert ran.returncode == 1
    found = json.loads(ran.stdout)
    assert found["sides"] == ["containerd", "cri-o", "docker"]
    bounding = next(v for v in found["values"] if v["field"] == "caps bounding" and v["container"] == "default")
    assert ["net_raw" in value for value in bounding["values"]] == [True, False, True]
    outcomes = {call: group["outcomes"] for group in found["calls"] for call in group["calls"]}
    assert outcomes["mount"] == ["errno 1", "allow", "errno 1"]
    assert {group["container"] for group in found["calls"]} == {"default"}


def test_a_filter_beside_none_names_every_call_that_it_does_not_allow(root: Path) -> None:
    text = SECCOMP.read_text(encoding="utf-8")
    ran = diff(root, SECCOMP, "-", "-o", "json", stdin=text.replace("RuntimeDefault", "Unconfined"))
    groups = {tuple(group["calls"]): group["outcomes"] for group in json.loads(ran.stdout)["calls"]}
    others = next(outcomes for calls, outcomes in groups.items() if "all others" in calls)
    assert others == ["errno 1", "allow"]


def test_a_container_and_a_refusal_that_only_one_side_has_are_differences(root: Path) -> None:
    text = SECCOMP.read_text(encoding="utf-8")
    ran = diff(root, SECCOMP, "-", stdin=text.replace("name: default", "name: other"))
    assert ran.returncode == 1
    assert "container default" in ran.stdout
    assert "container other" in ran.stdout
    refused = diff(
        root, SECCOMP, "-", stdin=text.replace("spec:\n", "spec:\n  securityContext: {runAsNonRoot: true}\n", 1)
    )
    assert refused.returncode == 1
    assert "refused" in refused.stdout


@pytest.mark.parametrize(
    "words",
    [
        [GROUPS],
        [GROUPS, STRICT, "--runtime-defaults", "containerd,cri-o"],
        [GROUPS, "--runtime-defaults", "containerd,podman"],
        [GROUPS, STRICT, GROUPS],
    ],
    ids=["one", "both", "unknown", "three"],
)
def test_bad_usage_is_told(root: Path, words: list[str | Path]) -> None:
    ran = diff(root, *words)
    assert ran.returncode == 2
    assert ran.stderr.startswith("podward: ")
    assert "Traceback" not in ran.stderr


def test_an_order_that_means_nothing_is_no_difference(root: Path) -> None:
    ran = diff(root, GROUPS, "--runtime-defaults", "containerd,docker", "-o", "json")
    assert "namespaces" not in [value["field"] for value in json.loads(ran.stdout)["values"]]


ABSENT = SECCOMP.read_text(encoding="utf-8").replace("busybox", "gone")


def test_what_an_image_that_is_not_here_decides_is_told_beside_the_differences(root: Path) -> None:
    ran = diff(root, "-", "--runtime-defaults", "containerd,docker", stdin=ABSENT)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "system calls" in ran.stdout
    assert "unknown: image gone:root is not here\n    → `podward image pull gone:root`" in ran.stdout


def test_what_one_image_hides_is_the_same_on_both_sides(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(ABSENT, encoding="utf-8")
    same = diff(root, file, file)
    assert same.returncode == 0
    assert same.stdout.startswith("no effective value that is known and no system call differs\n\nunknown: image gone")
    other = diff(root, file, "-", stdin=ABSENT.replace("gone", "lost"))
    assert other.returncode == 1
    assert "unknown (gone:root)" in other.stdout
    assert "unknown (lost:root)" in other.stdout
