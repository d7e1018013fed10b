"""check --fix: it looks at the images that are here, stays in its tree, and its time grows as its files do."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from case_corpus import Checked, said, text_of, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

POD = """apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers:
  - name: a
    image: {image}
    command: ["id", "-u"]
"""


def fixed(podward: Podward, tmp_path: Path, image: str) -> tuple[str, str]:
    """What --fix made of a Pod of this image, and what it said."""
    file = Path(write(tmp_path, "pod.yaml", POD.format(name="web", image=image)))
    done = podward("check", "--fix", str(file))
    return file.read_text(encoding="utf-8"), said(done)


@pytest.mark.parametrize("image", ["busybox:root", "busybox:www-data"])
def test_a_pod_still_runs_after_it_was_fixed(podward: Podward, tmp_path: Path, image: str) -> None:
    """Setting runAsNonRoot alone would keep an image from starting that runs as root or as a mere name."""
    text, told = fixed(podward, tmp_path, image)
    assert "runAsNonRoot: true" not in text or "runAsUser:" in text
    assert image in told, "why something stays, or was added"
    done = podward("run", "-f", str(tmp_path / "pod.yaml"))
    assert "runAsNonRoot" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_an_image_with_a_number_needs_no_other_user(podward: Podward, tmp_path: Path) -> None:
    text, _ = fixed(podward, tmp_path, "busybox:1000")
    assert "runAsNonRoot: true" in text
    assert "runAsUser" not in text
    done = podward("run", "-f", str(tmp_path / "pod.yaml"))
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr


def test_what_cannot_be_made_clean_is_left_or_said(podward: Podward, tmp_path: Path) -> None:
    """A hostPath has no change that satisfies the policy."""
    manifest = text_of("hostile/clean.yaml").replace(
        "  containers:", "  hostPID: true\n  volumes: [{name: h, hostPath: {path: /var/log}}]\n  containers:"
    )
    file = Path(write(tmp_path, "agent.yaml", manifest))
    done = podward("check", "--fix", str(file))
    assert done.returncode == 1
    if "hostPID" not in file.read_text(encoding="utf-8"):
        assert "agent.yaml" in done.stdout
        assert "pss/restrictedVolumes" in done.stdout, "what stays is told beside what was changed"


def test_a_link_out_of_the_tree_is_not_followed(podward: Podward, tmp_path: Path) -> None:
    outside = Path(write(tmp_path, "outside.yaml", POD.format(name="outside", image="b:1")))
    tree = tmp_path / "tree"
    write(tree, "pod.yaml", POD.format(name="inside", image="b:1"))
    (tree / "link.yaml").symlink_to("../outside.yaml")
    (tree / "directory").symlink_to(tmp_path)
    before = outside.read_bytes()
    done = podward("check", "--fix", "--ignore", "hint", str(tree))
    assert outside.read_bytes() == before
    assert (tree / "link.yaml").is_symlink()
    assert "link.yaml" in said(done), "and that is told"
    assert "allowPrivilegeEscalation: false" in (tree / "pod.yaml").read_text(encoding="utf-8")


def test_a_link_within_the_tree_changes_its_file_once(podward: Podward, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    write(tree, "pod.yaml", POD.format(name="inside", image="b:1"))
    (tree / "link.yaml").symlink_to("pod.yaml")
    podward("check", "--fix", str(tree))
    assert (tree / "link.yaml").is_symlink()
    assert (tree / "pod.yaml").read_text(encoding="utf-8").count("allowPrivilegeEscalation: false") == 1
    assert Checked(podward, str(tree)).errors == set()


def spent(podward: Podward, *words: str) -> float:
    """Seconds of processor time: the machine's other work does not count."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = podward("check", "--no-cache", *words, timeout=110)
    assert done.returncode in {0, 1}, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def annotated(count: int) -> str:
    """One line of JSON: a Pod with this many annotations."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": {f"k{number}": "" for number in range(count)}},
        "spec": {"containers": [{"name": "a", "image": "b:1"}]},
    }
    return json.dumps(pod, separators=(",", ":"))


def many_pods(count: int) -> str:
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"},
         "spec": {"containers": [{"name": "a", "image": "b:1", "securityContext": {"privileged": True}}]}}
        for number in range(count)
    ]  # fmt: skip
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}, separators=(",", ":"))


def many_containers(count: int) -> str:
    containers = [{"name": f"a{number}", "image": "b:1"} for number in range(count)]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    return json.dumps(pod, separators=(",", ":"))


SHAPES = {"annotations": (annotated, 1200), "pods": (many_pods, 800), "containers": (many_containers, 800)}


@pytest.mark.parametrize("form", [("-o", "sarif"), ("--fix", "--diff")], ids=["sarif", "fix"])
@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_much_in_one_line_takes_twice_as_long(
    podward: Podward, tmp_path: Path, shape: str, form: tuple[str, ...]
) -> None:
    make, size = SHAPES[shape]
    files = write(tmp_path, "small.json", make(size)), write(tmp_path, "large.json", make(2 * size))
    small, large = (spent(podward, *form, file) for file in files)
    for _ in range(2):
        if large < 2.3 * small + 0.3:
            break
        # A busy machine makes processor time dearer, too: the least of several is what it takes.
        small, large = (
            min(before, spent(podward, *form, file)) for before, file in zip((small, large), files, strict=True)
        )
    assert large < 2.3 * small + 0.3, f"{small:.2f} s, then {large:.2f} s"


def test_a_minified_file_of_59_kb_takes_seconds(podward: Podward, tmp_path: Path) -> None:
    file = write(tmp_path, "pod.json", annotated(5000))
    assert spent(podward, "-o", "sarif", file) < 5
    assert spent(podward, "--fix", "--diff", file) < 5
