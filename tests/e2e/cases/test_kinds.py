"""Nothing to check is not a pass: misspelt kinds, empty input, directories that are hidden or linked."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_corpus import Checked, case, said, text_of, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

NO_MATCH = {
    "kindtypo": 'no matches for kind "Pdo" in version "v1"',
    "ktypo2": 'no matches for kind "deployment" in version "apps/v1"',
    "kind-wrong-group": 'no matches for kind "Pod" in version "apps/v1"',
    "kind-gone-version": 'no matches for kind "Deployment" in version "extensions/v1beta1"',
    "kind-plural": 'no matches for kind "CronJobs" in version "batch/v1"',
}


@pytest.mark.parametrize("name", NO_MATCH)
def test_a_misspelt_kind_of_a_known_group_is_an_error(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), case("hostile/clean.yaml"))
    (finding,) = checked.findings(severity="error")
    assert NO_MATCH[name] in finding["message"]
    assert finding["line"] in {1, 2}
    assert finding["rule"].startswith("input/"), "what was not understood was not checked"
    assert checked.code == 2


@pytest.mark.parametrize("name", ["kindtypo", "ktypo2", "kind-wrong-group"])
@pytest.mark.parametrize("command", ["explain", "run", "admit"])
def test_no_command_takes_a_misspelt_kind(podward: Podward, command: str, name: str) -> None:
    done = podward(command, "-f", case(f"manifests/{name}.yaml"))
    assert done.returncode == 2
    assert NO_MATCH[name] in said(done)


def test_a_misspelt_kind_that_resembles_one_gets_the_right_word(podward: Podward) -> None:
    for name, meant in (("kindtypo", "Pod"), ("ktypo2", "Deployment"), ("kind-plural", "CronJob")):
        (finding,) = Checked(podward, case(f"manifests/{name}.yaml")).findings(severity="error")
        assert meant in finding["remedy"]


EMPTY = {
    "nothing": "",
    "blank": "\n\n",
    "separators": "---\n---\n",
    "comments": "# nothing here\n",
    "config": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "empty-list": "apiVersion: v1\nkind: List\nitems: []\n",
}


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_check_is_not_a_pass(podward: Podward, name: str) -> None:
    done = podward("check", "-", stdin=EMPTY[name])
    assert done.returncode == 2, said(done)
    assert "--allow-empty" in said(done)
    assert podward("check", "-", "--allow-empty", stdin=EMPTY[name]).returncode == 0


def test_a_directory_without_a_workload_is_not_a_pass(podward: Podward, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert podward("check", str(tmp_path / "empty")).returncode == 2
    write(tmp_path, "docs/README.md", "# apiVersion: v1\n")
    assert podward("check", str(tmp_path / "docs")).returncode == 2
    assert podward("check", str(tmp_path / "docs"), "--allow-empty").returncode == 0


def test_allow_empty_allows_nothing_else(podward: Podward) -> None:
    assert podward("check", "--allow-empty", case("hostile/namespace.yaml"), "--level", "privileged").returncode == 0
    assert podward("check", "--allow-empty", case("hostile/waiver.yaml"), "--no-inline-waivers").returncode == 1
    assert podward("check", "--allow-empty", case("manifests/helm1.yaml")).returncode == 2
    assert podward("check", "--allow-empty", case("manifests/kindtypo.yaml")).returncode == 2
    assert podward("check", "--allow-empty", "no-such-file.yaml").returncode == 2


EVIL = text_of("hostile/namespace.yaml").partition("---\n")[2]


@pytest.mark.parametrize("hidden", [".hidden", ".argocd/apps", "a/.b"])
def test_a_hidden_directory_is_not_passed_over(podward: Podward, tmp_path: Path, hidden: str) -> None:
    """`kubectl apply -R` reads it."""
    write(tmp_path, "good.yaml", text_of("hostile/clean.yaml"))
    write(tmp_path, f"{hidden}/evil.yaml", EVIL)
    done = podward("check", str(tmp_path))
    assert done.returncode in {1, 2}, done.stdout
    assert next(part for part in hidden.split("/") if part.startswith(".")) in said(done)


def test_a_hidden_file_is_not_passed_over(podward: Podward, tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", text_of("hostile/clean.yaml"))
    write(tmp_path, ".evil.yaml", EVIL)
    done = podward("check", str(tmp_path))
    assert (done.returncode in {1, 2}, ".evil.yaml" in said(done)) == (True, True), said(done)


def test_gits_own_directory_is_nobodys_manifest(podward: Podward, tmp_path: Path) -> None:
    write(tmp_path, "good.yaml", text_of("hostile/clean.yaml"))
    write(tmp_path, ".git/evil.yaml", EVIL)
    assert podward("check", str(tmp_path)).returncode == 0


@pytest.mark.parametrize("place", ["inside", "outside"])
def test_a_linked_directory_is_read_or_told(podward: Podward, tmp_path: Path, place: str) -> None:
    tree = tmp_path / "tree"
    write(tree, "good.yaml", text_of("hostile/clean.yaml"))
    target = tree / ".real" if place == "inside" else tmp_path / "elsewhere"
    write(target, "evil.yaml", EVIL)
    (tree / "linked").symlink_to(target)
    done = podward("check", str(tree))
    assert done.returncode in {1, 2}, said(done)
    assert "linked" in said(done)


def test_faults_of_the_schema_are_one_finding_each_with_its_own_line(podward: Podward) -> None:
    checked = Checked(podward, case("manifests/faults.yaml"), "--level", "privileged")
    found = [(each["line"], each["path"]) for each in checked.findings("input/schema")]
    assert found == [
        (5, "spec.hostNetwrok"),
        (10, "spec.containers[0].ports[0].containerPort"),
        (12, "spec.containers[0].securityContext.runAsUser"),
        (13, "spec.containers[0].securityContext.privileged"),
    ]
    assert checked.code == 2
